//! What of the logs a caller sees: a person, and whoever uses a person's key, what the switches leave to the role.

use tidegate_access::{Columns, LogView, Person};
use tidegate_records::Filter;
use tidegate_store::Scope;
use tidegate_store::entity::{Member, Organisation, Stored, User, Workspace};

use crate::call::Call;
use crate::principal::{found, organisation_role, switches, workspace_role};
use crate::problem::Problem;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// Headers and bodies too, not only figures.
    pub(crate) bodies: bool,
    /// Only what this person's own keys asked.
    pub(crate) only_of: Option<String>,
}

impl View {
    /// Whoever may not see bodies may not ask what is in them either.
    ///
    /// # Errors
    /// 403
    pub(crate) fn allows(&self, filter: &Filter) -> Result<(), Problem> {
        if self.bodies || filter.search.is_any() {
            return Ok(());
        }
        Err(Problem::forbidden("search looks into bodies, which are not open to your role in this workspace")
            .about("search"))
    }

    /// # Errors
    /// 403 for a role that may see nothing, and the database's.
    pub(crate) async fn of(call: &Call, workspace: &Stored<Workspace>) -> Result<Self, Problem> {
        let Some(user) = call.user() else { return Ok(Self { bodies: true, only_of: None }) };
        let (store, whole) = (call.store(), call.whole());
        let person = found(store.get::<User>(&whole, user).await)?;
        let person = person.ok_or_else(|| Problem::forbidden("this person is not there any more"))?;
        let within = Scope::Workspace(call.organisation, workspace.id);
        let member = found(store.by_slug::<Member>(&within, &user.to_string()).await)?;
        let organisation = store.get::<Organisation>(&whole, call.organisation).await?;
        let person = Person {
            organisation: organisation_role(person.entity.role),
            workspace: member.map(|member| workspace_role(member.entity.role)),
        };
        let LogView { columns, all_rows } =
            switches(&organisation.entity, Some(&workspace.entity)).logs(person);
        if columns == Columns::None {
            return Err(Problem::forbidden("the logs are not open to your role in this workspace"));
        }
        let only_of = (!all_rows).then(|| user.to_string());
        Ok(Self { bodies: columns == Columns::All, only_of })
    }
}
