//! One's own account: password, recovery codes, sessions.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use registry_core::storage::{AccountOf, OwnAccount, StoreError};

use super::error::sentence;
use super::frame::role_name;
use super::invitation::{Codes, shown};
use super::sign_in::{begun, gone, to};
use super::{Frame, html};
use crate::guard::{Allowed, AllowedForm, Anyone, NoQuery, Via};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

const TITLE: &str = "Your account";

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    frame: Frame,
    csrf: String,
    account: Option<Account>,
    refused: Option<String>,
}

struct Account {
    name: String,
    login: String,
    role: &'static str,
    centre: Option<String>,
    recovery_codes: i64,
    /// Signs in with a provider, and has no password here.
    elsewhere: bool,
    /// Began, last request, whether it is this one.
    sessions: Vec<(String, String, bool)>,
}

impl From<OwnAccount> for Account {
    fn from(own: OwnAccount) -> Self {
        let minute = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M").to_string();
        let sessions = own.sessions.into_iter();
        Self {
            elsewhere: own.person.issuer.is_some(),
            name: own.person.name,
            login: own.person.login,
            role: role_name(own.person.role),
            centre: own.person.centre,
            recovery_codes: own.recovery_codes,
            sessions: sessions
                .map(|one| (minute(one.began_at), minute(one.seen_at), one.current))
                .collect(),
        }
    }
}

fn read(
    state: &AppState,
    frame: Frame,
    account: Option<&AccountOf>,
    refused: Option<String>,
) -> Result<Page, Problem> {
    let own = account.map(|account| state.store.own_account(account));
    Ok(Page {
        csrf: frame.csrf(),
        frame,
        account: own.transpose()?.map(Account::from),
        refused,
    })
}

pub(super) async fn page(
    caller: Allowed<Anyone>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(TITLE, "/account", &caller);
    let account = match caller.via {
        Via::Session(session) => session.account,
        Via::Key => None,
    };
    let page = blocking(move || read(&state, frame, account.as_ref(), None));
    html(&page.await?)
}

/// The account of the form's session; who came through a sign-in link has none.
fn account_of(form: &AllowedForm<Anyone>) -> Result<&AccountOf, Problem> {
    let none = || Problem::with(Kind::InvalidState, "this session belongs to no account");
    form.session.account.as_ref().ok_or_else(none)
}

/// What was done, or the page again with what is wrong.
async fn attempt<T: Send + 'static>(
    form: AllowedForm<Anyone>,
    state: web::Data<AppState>,
    act: impl FnOnce(&AppState, &AllowedForm<Anyone>, &AccountOf) -> Result<T, StoreError> + Send + 'static,
) -> Result<Result<T, HttpResponse>, Problem> {
    let outcome = blocking(move || {
        let account = account_of(&form)?;
        let refused = match act(&state, &form, account) {
            Ok(done) => return Ok(Ok(done)),
            Err(StoreError::Weak(weakness)) => weakness.to_string(),
            Err(StoreError::Invalid(why)) => why.to_owned(),
            Err(other) => return Err(other.into()),
        };
        let frame = Frame::within(TITLE, "/account", &form.session);
        Ok(Err(read(&state, frame, Some(account), sentence(&refused))?))
    });
    Ok(match outcome.await? {
        Ok(done) => Ok(done),
        Err(again) => {
            let mut page = html(&again)?;
            *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Err(page)
        }
    })
}

/// Changes the password: every session ends, and this browser gets a new one.
pub(super) async fn change_password(
    form: AllowedForm<Anyone>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    state.limiter.check_sign_in(&state.client_address(&request))?;
    let changed = attempt(form, state.clone(), |state, form, account| {
        let wanted = form.fields.get("wanted");
        if wanted != form.fields.get("again") {
            return Err(StoreError::Invalid("the two new passwords are not the same"));
        }
        let present = form.fields.get("present");
        state
            .store
            .change_own_password(&form.scope, account, present, wanted)
    });
    match changed.await? {
        Ok(session) => {
            let cookie = begun(&state, &request, &session).await?;
            Ok(to("/account").cookie(cookie).finish())
        }
        Err(page) => Ok(page),
    }
}

/// Ten new recovery codes, shown once.
pub(super) async fn renew_recovery_codes(
    form: AllowedForm<Anyone>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    state.limiter.check_sign_in(&state.client_address(&request))?;
    let frame = Frame::within("Your recovery codes", "/account", &form.session);
    let renewed = attempt(form, state, |state, form, account| {
        let password = form.fields.get("password");
        state
            .store
            .renew_own_recovery_codes(&form.scope, account, password)
    });
    match renewed.await? {
        Ok(codes) => html(&Codes {
            frame,
            codes: shown(&codes),
            next: "/account",
        }),
        Err(page) => Ok(page),
    }
}

/// Ends every session of the account, this one too.
pub(super) async fn sign_out_everywhere(
    form: AllowedForm<Anyone>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let work = state.clone();
    blocking(move || Ok(work.store.end_own_sessions(&form.scope, account_of(&form)?)?)).await?;
    Ok(to("/sign-in").cookie(gone(&state)).finish())
}
