//! `GET /api/v1/cases/{pseudonym}/assessment`
