//! What surrounds every page: title, menu by role, who is signed in, which run is shown.

use registry_core::access::{Role, Scope};
use registry_core::storage::{Run, Session};

use super::words;
use crate::guard::request_id::Current;
pub(super) use crate::guard::role_name;
use crate::guard::{
    Administers, Allowed, AllowedForm, Anyone, Coordinates, Policy, Reader, ReadsAudit, ReadsPublished,
    ReadsReleases, ReadsRequests, ReadsResults, SeesCases, Steers, Via,
};
use crate::results::Hidden;

/// The surroundings of a page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) active: &'static str,
    pub(super) who: Option<Who>,
    pub(super) run: Option<RunLine>,
    /// How many of the page's numbers are hidden from its reader, in a sentence.
    pub(super) hidden: Option<String>,
    role: Option<Role>,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) label: String,
    pub(super) csrf: String,
}

/// The run behind the numbers.
#[derive(Debug, Clone)]
pub(super) struct RunLine {
    pub(super) number: i64,
    pub(super) cut_off: String,
    pub(super) published: bool,
    pub(super) guideline: String,
    pub(super) schema: String,
    pub(super) engine: String,
}

/// A line of the menu.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) href: &'static str,
    pub(super) name: &'static str,
}

impl Frame {
    /// For nobody in particular.
    pub(super) fn bare(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            active: "",
            who: None,
            run: None,
            hidden: None,
            role: None,
        }
    }

    /// For whoever the request is from, as far as that is known: of the page for a problem.
    pub(super) fn of_request(title: &str, request: &Current) -> Self {
        let Some((scope, via)) = request.caller.get() else {
            return Self::bare(title);
        };
        let mut frame = Self::seen_by(title, "", scope, via);
        let first = request.path.split('/').nth(1).unwrap_or_default();
        let grouped = GROUPS.iter().flat_map(|group| group.iter().map(|tab| tab.0));
        let mut lines = frame.menu().into_iter().map(|item| item.href).chain(grouped);
        frame.active = lines
            .find(|href| href.trim_start_matches('/') == first)
            .unwrap_or_default();
        frame
    }

    /// The role it is for; nobody's where nobody is signed in.
    pub(super) fn role(&self) -> Option<Role> {
        self.role
    }

    /// For a caller.
    pub(super) fn of<P: Policy>(title: &str, active: &'static str, caller: &Allowed<P>) -> Self {
        Self::seen_by(title, active, &caller.scope, &caller.via)
    }

    /// For whoever sent a form, of the page that answers it.
    pub(super) fn answering<P: Policy>(title: &str, active: &'static str, form: &AllowedForm<P>) -> Self {
        Self {
            title: title.to_owned(),
            active,
            who: Some(Who {
                label: label(&form.scope),
                csrf: form.fields.get("csrf").to_owned(),
            }),
            run: None,
            hidden: None,
            role: Some(form.scope.role()),
        }
    }

    /// For who sent a form, or has just signed in.
    pub(super) fn within(title: &str, active: &'static str, session: &Session) -> Self {
        Self::seen_by(title, active, &session.scope, &Via::Session(session.clone()))
    }

    /// Of a page that anyone may read.
    pub(super) fn open(title: &str, active: &'static str, reader: &Reader) -> Self {
        match &reader.0 {
            Some((scope, via)) => Self::seen_by(title, active, scope, via),
            None => Self {
                active,
                ..Self::bare(title)
            },
        }
    }

    fn seen_by(title: &str, active: &'static str, scope: &Scope, via: &Via) -> Self {
        let csrf = match via {
            Via::Session(session) => session.csrf.clone(),
            Via::Key => String::new(),
        };
        let who = Who {
            label: label(scope),
            csrf,
        };
        Self {
            title: title.to_owned(),
            active,
            who: Some(who),
            run: None,
            hidden: None,
            role: Some(scope.role()),
        }
    }

    /// The token that proves a form was ours; empty for a caller with a key.
    pub(super) fn csrf(&self) -> String {
        self.who.as_ref().map(|who| who.csrf.clone()).unwrap_or_default()
    }

    /// With the run behind the numbers.
    pub(super) fn with_run(mut self, run: &Run) -> Self {
        let parameter = |name: &str| {
            run.parameters
                .get(name)
                .and_then(|v| v.as_str())
                .unwrap_or("?")
                .to_owned()
        };
        self.run = Some(RunLine {
            number: run.number,
            cut_off: run.cutoff_date.to_string(),
            published: run.published_at.is_some(),
            guideline: parameter("guideline_version"),
            schema: parameter("schema_version"),
            engine: parameter("engine_version"),
        });
        self
    }

    /// With how many of the page's numbers are hidden; says so even when none is.
    pub(super) fn with_hidden(mut self, of: Hidden) -> Self {
        self.hidden = Some(words::hidden(of));
        self
    }

    /// Whether this role has the pages of measures.
    pub(super) fn by_measure(&self) -> bool {
        self.role.is_some_and(|role| ReadsResults::ROLES.contains(&role))
    }

    /// Where this role starts.
    pub(super) fn home(&self) -> &'static str {
        self.role.map_or("/", start)
    }

    /// The pages this role has.
    pub(super) fn menu(&self) -> Vec<Item> {
        let Some(role) = self.role else { return Vec::new() };
        let mut items = Vec::new();
        let mut add = |href, name| items.push(Item { href, name });
        if ReadsResults::ROLES.contains(&role) {
            add("/", "Overview");
            add("/adherence", "Adherence");
        }
        if ReadsPublished::ROLES.contains(&role) {
            add("/survival", "Survival");
        }
        if ReadsResults::ROLES.contains(&role) {
            add("/quality", "Data quality");
        }
        if role.sees_cases() {
            add("/centre", "Centre");
            add("/cases", "Cases");
            add("/worklist", "Worklist");
            add("/queries", "Queries");
        }
        if role.sees_cases() || role == Role::Committee {
            add("/verification", "Verification");
        }
        if Steers::ROLES.contains(&role) {
            add("/brief", "Brief");
            add("/signals", "Signals");
            add("/runs", "Runs");
        }
        if ReadsReleases::ROLES.contains(&role) {
            add("/releases", "Releases");
        }
        if Administers::ROLES.contains(&role) {
            add("/admin", "Administration");
        }
        add("/rules", "Rules");
        items
    }

    /// The line of the menu that the page belongs to.
    pub(super) fn section(&self) -> &'static str {
        let within = |group: &&[Tab]| group.iter().any(|tab| tab.0 == self.active);
        let group = GROUPS.iter().copied().find(within);
        group
            .and_then(|group| group.first())
            .map_or(self.active, |first| first.0)
    }

    /// The name of that line.
    pub(super) fn here(&self) -> Option<&'static str> {
        let section = self.section();
        let line = self.menu().into_iter().find(|item| item.href == section);
        line.map(|item| item.name)
    }

    /// The pages beside this one, where its line of the menu has several.
    pub(super) fn tabs(&self) -> Vec<Item> {
        let within = |group: &&[Tab]| group.iter().any(|tab| tab.0 == self.active);
        let group = GROUPS.iter().copied().find(within).unwrap_or_default();
        let mine = |tab: &&Tab| {
            tab.2
                .is_none_or(|roles| self.role.is_some_and(|role| roles.contains(&role)))
        };
        group
            .iter()
            .filter(mine)
            .map(|tab| Item {
                href: tab.0,
                name: tab.1,
            })
            .collect()
    }
}

/// A page of a group: address, name, who has it; `None` for everybody.
type Tab = (&'static str, &'static str, Option<&'static [Role]>);

/// Pages that share a line of the menu, the one it leads to first.
static GROUPS: [&[Tab]; 5] = [
    &[
        ("/cases", "Cases", Some(SeesCases::ROLES)),
        ("/imports", "Imports", Some(SeesCases::ROLES)),
    ],
    &[
        ("/brief", "Quarterly brief", Some(Steers::ROLES)),
        ("/report", "Annual report", Some(Steers::ROLES)),
        ("/indicators", "Indicators", Some(Steers::ROLES)),
    ],
    &[
        ("/releases", "Releases", Some(ReadsReleases::ROLES)),
        ("/requests", "Data requests", Some(ReadsRequests::ROLES)),
    ],
    &[
        ("/rules", "Rules", Some(Anyone::ROLES)),
        ("/checks", "Edit checks", None),
        ("/schema", "What is recorded", None),
        ("/codelists", "Code lists", None),
    ],
    &[
        ("/admin", "Centres and keys", Some(Administers::ROLES)),
        ("/users", "Users", Some(Administers::ROLES)),
        ("/audit", "Audit", Some(ReadsAudit::ROLES)),
        ("/tasks", "Tasks", Some(Coordinates::ROLES)),
        ("/adjudication", "Adjudication", Some(Coordinates::ROLES)),
    ],
];

/// The page a role starts on.
pub(super) fn start(role: Role) -> &'static str {
    match role {
        Role::Admin => "/admin",
        Role::Researcher => "/survival",
        _ => "/",
    }
}

fn label(scope: &Scope) -> String {
    let role = role_name(scope.role());
    match scope.centre() {
        Some(centre) => format!("{role}, {centre}"),
        None => role.to_owned(),
    }
}
