//! Azure's deployments: models under names of the operator's own.

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployment {
    /// As Azure knows it.
    pub name: Box<str>,
    pub api_version: Option<Box<str>>,
    /// The model that it serves, which says what it costs.
    pub model: Option<Box<str>>,
    /// As requests may call it.
    pub alias: Option<Box<str>>,
    /// Serves the models that no other one does.
    pub is_default: bool,
}

/// Those of a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployments(pub Vec<Deployment>);

impl Deployments {
    /// The one that serves `asked`: by its alias, its name or its model, in this order; else the default one, or the
    /// only one. `None`: the model is the deployment's name.
    pub fn of(&self, asked: &str) -> Option<&Deployment> {
        let by = |name: fn(&Deployment) -> Option<&str>| {
            self.0.iter().find(|one| !asked.is_empty() && name(one) == Some(asked))
        };
        by(|one| one.alias.as_deref())
            .or_else(|| by(|one| Some(&one.name)))
            .or_else(|| by(|one| one.model.as_deref()))
            .or_else(|| self.0.iter().find(|one| one.is_default))
            .or_else(|| self.0.first().filter(|_| self.0.len() == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_model_means() {
        let one = |name: &str, model: &str, alias: Option<&str>, is_default| Deployment {
            name: name.into(),
            model: Some(model.into()),
            alias: alias.map(Box::from),
            is_default,
            ..Deployment::default()
        };
        let named =
            |deployments: &Deployments, asked: &str| deployments.of(asked).map(|one| one.name.to_string());
        let mut some = Deployments(vec![
            one("east", "gpt-4o", Some("large"), false),
            one("west", "gpt-4o-mini", Some("east"), false),
        ]);
        for (asked, serves) in [
            ("large", Some("east")),
            // An alias comes before a name.
            ("east", Some("west")),
            ("west", Some("west")),
            ("gpt-4o", Some("east")),
            ("o3", None),
            ("", None),
        ] {
            assert_eq!(named(&some, asked).as_deref(), serves, "{asked}");
        }
        some.0[1].is_default = true;
        assert_eq!(named(&some, "o3").as_deref(), Some("west"));
        some.0.truncate(1);
        assert_eq!(named(&some, "o3").as_deref(), Some("east"));
    }
}
