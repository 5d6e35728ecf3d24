//! `tidegate check`: settings and saved configs judged without serving. Every mistake has its file, line, field, what
//! is wrong and what would be right; a setting without effect is a mistake too.

use std::fmt::Write as _;
use std::io::Write as _;

use tidegate_catalog::PORTKEY_IDS;
use tidegate_gateway::{Guards, Snapshot, plan};
use tidegate_routing::ConfigContext;
use tidegate_routing::plan::{Defaults, Plan};
use tidegate_settings::Settings;

use crate::cli::Options;
use crate::wire::Origin;
use crate::{bodies, sign_in};

/// # Errors
/// The list of mistakes.
pub fn run(options: &Options) -> Result<(), String> {
    let origin = Origin::new(options);
    let settings = origin.settings()?;
    sign_in::check(&settings.oidc)?;
    bodies::policy(&settings.records)?;
    let snapshot = origin.snapshot(&settings, None)?;
    let mistakes = saved(&settings, &snapshot);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut report = String::new();
    for line in settings.effective() {
        let _ = writeln!(report, "{} = {}   ({})", line.field, line.value, line.source);
    }
    let _ = writeln!(report, "\nok: settings, and {} saved config(s)", snapshot.home.configs.len());
    let _ = std::io::stdout().lock().write_all(report.as_bytes());
    Ok(())
}

/// Mistakes of the saved configs, one a line.
pub fn saved(settings: &Settings, snapshot: &Snapshot) -> String {
    let context = ConfigContext {
        is_provider: &|name| plan::is_provider(&snapshot.home, name),
        provider_ids: &PORTKEY_IDS,
        has_key: &|name| plan::has_key(&snapshot.home, name),
        hosts: &snapshot.hosts,
        // A config without a provider is completed by the header of the request that names it.
        provider_header: true,
    };
    let mut mistakes = String::new();
    let mut ids: Vec<_> = snapshot.home.configs.iter().collect();
    ids.sort_unstable_by_key(|(id, _)| *id);
    for (id, saved) in ids {
        let file = settings.server.data_dir.join("configs").join(format!("{id}.json"));
        let file = file.display();
        match tidegate_routing::config::parse(&saved.text, &context) {
            Ok(config) => {
                for note in config.notes() {
                    let _ = writeln!(mistakes, "{file}: {note}");
                }
                let plan = Plan::new(&config, Defaults::default(), None);
                for mistake in Guards::mistakes(&plan).into_iter().chain(without_effect(&plan)) {
                    let _ = writeln!(mistakes, "{file}: {mistake}");
                }
            }
            Err(error) if error.issues.is_empty() => {
                let _ = writeln!(mistakes, "{file}: {}", error.message);
            }
            Err(error) => {
                for issue in &error.issues {
                    let _ = writeln!(mistakes, "{file}:{issue}");
                }
            }
        }
    }
    mistakes.truncate(mistakes.trim_end().len());
    mistakes
}

/// Members that a request may carry, since clients of the reference send them, and that do nothing here.
fn without_effect(plan: &Plan) -> Vec<String> {
    let targets = plan.targets();
    let cached = targets.iter().filter(|target| target.cache.is_some());
    cached.map(|target| format!("{}.cache: answers are not cached yet; leave it out", target.path)).collect()
}
