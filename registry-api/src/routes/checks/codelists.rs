//! `GET /api/v1/codelists`: every code of every list, with its meaning.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use registry_core::dictionary::{Code, CodeList, DescribedCode};
use serde::{Deserialize, Serialize};

use super::search;
use crate::problem::{Kind, Problem};
use crate::routes::Reply;
use crate::routes::quality::worklist::given;
use crate::routes::results::written;
use crate::routes::wants_csv;
use crate::state::AppState;

/// Which codes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Name of a list.
    #[serde(default, deserialize_with = "given")]
    pub list: Option<String>,
    /// Words that all stand in the code, its meaning, or the name and title of its list.
    #[serde(default, deserialize_with = "given")]
    pub q: Option<String>,
}

/// A list with the codes asked for of it.
pub struct Found<'a> {
    pub list: &'a CodeList,
    pub codes: Vec<&'a Code>,
    /// Elements of the current case schema that take their codes from it.
    pub elements: Vec<String>,
}

/// The lists that have a code asked for, by name.
///
/// # Errors
/// [`Kind::NotFound`] for a list there is not, [`Kind::BadQuery`] for a search that is too long.
pub fn asked<'a>(state: &'a AppState, wanted: &Wanted) -> Result<Vec<Found<'a>>, Problem> {
    if let Some(name) = &wanted.list
        && state.schemas.codelist(name).is_none()
    {
        return Err(Problem::new(Kind::NotFound));
    }
    let words = search(wanted.q.as_deref())?;
    let mut elements = using(state);
    let lists = state.schemas.codelists().map(|list| &**list);
    let mut found: Vec<Found<'a>> = lists
        .filter(|list| wanted.list.as_ref().is_none_or(|name| list.name == *name))
        .map(|list| Found {
            list,
            codes: list.codes.iter().filter(|code| has(list, code, &words)).collect(),
            elements: elements.remove(list.name.as_str()).unwrap_or_default(),
        })
        .filter(|found| !found.codes.is_empty())
        .collect();
    found.sort_by(|a, b| a.list.name.cmp(&b.list.name));
    Ok(found)
}

fn has(list: &CodeList, code: &Code, words: &[String]) -> bool {
    let label = code.label.as_deref().unwrap_or_default();
    let text = format!("{} {label} {} {}", code.code, list.name, list.title).to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// By list, the elements whose codes it holds.
fn using(state: &AppState) -> BTreeMap<&str, Vec<String>> {
    let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entity in &state.schemas.current().dictionary.entities {
        for element in &entity.elements {
            if let Some(list) = &element.codes {
                let named = format!("{}.{}", entity.name, element.name);
                all.entry(&list.name).or_default().push(named);
            }
        }
    }
    all
}

/// The codes as CSV, one line each.
///
/// # Errors
/// None in practice.
pub fn csv(found: &[Found<'_>]) -> Result<String, Problem> {
    let rows = found.iter().flat_map(|one| {
        let line = |code: &&Code| {
            vec![
                one.list.name.clone(),
                code.code.clone(),
                code.label.clone().unwrap_or_default(),
                one.list.title.clone(),
                one.list.standard.clone().unwrap_or_default(),
            ]
        };
        one.codes.iter().map(line).collect::<Vec<_>>()
    });
    written(&["list", "code", "label", "title", "standard"], rows)
}

/// The code lists asked for.
#[derive(Serialize, utoipa::ToSchema)]
struct CodeLists<'a> {
    codelists: Vec<ListOfCodes<'a>>,
}

/// A code list.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CodeList)]
struct ListOfCodes<'a> {
    name: &'a str,
    title: &'a str,
    standard: Option<&'a str>,
    /// Elements of the current case schema that take their codes from it.
    elements: &'a [String],
    codes: Vec<DescribedCode<'a>>,
}

impl<'a> From<&'a Found<'a>> for ListOfCodes<'a> {
    fn from(found: &'a Found<'a>) -> Self {
        Self {
            name: &found.list.name,
            title: &found.list.title,
            standard: found.list.standard.as_deref(),
            elements: &found.elements,
            codes: found.codes.iter().map(|code| (*code).into()).collect(),
        }
    }
}

/// Every code list with its codes, what each means, and the elements that take them; `Accept: text/csv` for a table.
#[utoipa::path(get, path = "/api/v1/codelists", tag = "schemas",
    params(("list" = Option<String>, Query, description = "name of one list"),
        ("q" = Option<String>, Query, description = "words that all stand in the code, its meaning, or the list's name and title")),
    responses((status = 200, description = "codelists: name, title, standard, elements, codes", body = CodeLists), (status = 404, description = "No such list")))]
pub(in crate::routes) async fn list(
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let found = asked(&state, &wanted)?;
    if wants_csv(&request) {
        let name = "attachment; filename=\"codelists.csv\"";
        return Ok(Reply::text("text/csv; charset=utf-8", csv(&found)?).header("content-disposition", name));
    }
    let codelists = found.iter().map(ListOfCodes::from).collect();
    Reply::json(200, &CodeLists { codelists })
}
