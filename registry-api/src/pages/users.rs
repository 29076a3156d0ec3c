//! People with an account, for the coordinating office: invite, change roles, reset, disable.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use registry_core::access::{Role, Scope};
use registry_core::storage::{Invited, NewPerson, Person, PersonState};

use super::frame::role_name;
use super::who::People;
use super::{Frame, Sent, html};
use crate::guard::{Administers, Allowed, AllowedForm, Fields, NoQuery};
use crate::problem::{Kind, Problem};
use crate::routes::users::link;
use crate::state::{AppState, blocking};

const TITLE: &str = "Users";

#[derive(Template)]
#[template(path = "users.html")]
struct Page {
    frame: Frame,
    csrf: String,
    people: Vec<Line>,
    /// Value and name.
    roles: Vec<(&'static str, &'static str)>,
    /// Id and name.
    centres: Vec<(String, String)>,
    /// A link just made, shown this once.
    made: Option<Made>,
}

struct Line {
    id: String,
    login: String,
    name: String,
    role: Role,
    role_name: &'static str,
    centre: String,
    state: &'static str,
    made: String,
    seen: String,
    /// The reader's own account, which others of the office change.
    own: bool,
    disabled: bool,
    /// With a provider, not with a password.
    elsewhere: bool,
}

struct Made {
    name: String,
    link: String,
}

fn line(person: Person, actor: &str, people: &People) -> Line {
    Line {
        own: actor == format!("user:{}", person.login),
        role_name: role_name(person.role),
        state: person.state.as_str(),
        elsewhere: person.issuer.is_some(),
        disabled: person.state == PersonState::Disabled,
        made: format!(
            "{} by {}",
            person.created_at.date_naive(),
            people.who(&person.created_by)
        ),
        seen: person
            .last_sign_in_at
            .map_or_else(|| "never".to_owned(), |at| at.date_naive().to_string()),
        id: person.person_id,
        login: person.login,
        name: person.name,
        role: person.role,
        centre: person.centre.unwrap_or_default(),
    }
}

fn read(state: &AppState, scope: &Scope, frame: Frame, made: Option<Made>) -> Result<Page, Problem> {
    let known = People::of(state)?;
    let people = state.store.list_people(scope)?.into_iter();
    let centres = state.store.list_centres(scope)?.into_iter();
    Ok(Page {
        csrf: frame.csrf(),
        frame,
        people: people.map(|person| line(person, scope.actor(), &known)).collect(),
        roles: Role::GRANTABLE
            .map(|role| (role.as_str(), role_name(role)))
            .to_vec(),
        centres: centres.map(|centre| (centre.centre_id, centre.name)).collect(),
        made,
    })
}

pub(super) async fn page(
    caller: Allowed<Administers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(TITLE, "/users", &caller);
    html(&blocking(move || read(&state, &caller.scope, frame, None)).await?)
}

/// Role and centre of a form; a centre that was chosen beside a role of no centre does not count.
fn granted(fields: &Fields) -> Result<(Role, Option<String>), Problem> {
    let role: Role = fields
        .get("role")
        .parse()
        .map_err(|_| Problem::with(Kind::InvalidValue, "choose a role"))?;
    let centre = Some(fields.get("centre")).filter(|centre| role.needs_centre() && !centre.is_empty());
    Ok((role, centre.map(str::to_owned)))
}

/// The page with a link just made.
async fn with_link(
    form: AllowedForm<Administers>,
    request: HttpRequest,
    state: web::Data<AppState>,
    make: impl FnOnce(&AppState, &AllowedForm<Administers>) -> Result<Invited, Problem> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let address = state.address_for(&request);
    let page = blocking(move || {
        let invited = make(&state, &form)?;
        let made = Made {
            link: link(&address, &invited),
            name: invited.person.name,
        };
        let frame = Frame::within(TITLE, "/users", &form.session);
        read(&state, &form.scope, frame, Some(made))
    });
    html(&page.await?)
}

/// Makes an account and shows its link.
pub(super) async fn invite(
    form: AllowedForm<Administers>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        with_link(form, request, state, |state, form| {
            let (role, centre) = granted(&form.fields)?;
            let person = NewPerson {
                login: form.fields.get("login").to_owned(),
                name: form.fields.get("name").to_owned(),
                role,
                centre,
            };
            Ok(state.store.invite_person(&form.scope, person)?)
        })
        .await
    }
    .await;
    sent.answered(
        answer,
        &[
            ("sign-in name", "login"),
            ("name already", "login"),
            ("person's name", "name"),
            ("centre", "centre"),
            ("role", "role"),
        ],
        |caller| page(caller, NoQuery, again),
    )
    .await
}

/// Takes away what proves who the person is, and shows a new link.
pub(super) async fn reset(
    form: AllowedForm<Administers>,
    person: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    with_link(form, request, state, move |state, form| {
        Ok(state.store.reset_person(&form.scope, &person)?)
    })
    .await
}

fn back() -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response.insert_header(("location", "/users")).finish()
}

/// Another role or centre; the person's sessions end.
pub(super) async fn assign(
    form: AllowedForm<Administers>,
    person: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        blocking(move || {
            let (role, centre) = granted(&form.fields)?;
            Ok(state
                .store
                .assign_person(&form.scope, &person, role, centre.as_deref())?)
        })
        .await?;
        Ok(back())
    }
    .await;
    sent.answered(answer, &[("centre", "centre"), ("role", "role")], |caller| {
        page(caller, NoQuery, again)
    })
    .await
}

/// Ends an account.
pub(super) async fn disable(
    form: AllowedForm<Administers>,
    person: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    blocking(move || Ok(state.store.disable_person(&form.scope, &person)?)).await?;
    Ok(back())
}
