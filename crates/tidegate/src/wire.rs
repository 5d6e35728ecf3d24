//! Builds everything, top to bottom: the environment and files are read here and nowhere else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tidegate_catalog::catalog;
use tidegate_gateway::Snapshot;
use tidegate_gateway::plan::DEMO;
use tidegate_gateway::snapshot::{Surroundings, saved_configs};
use tidegate_settings::{CONFIG_VARIABLE, Inputs, KnownProvider, Settings, SettingsFile};
use tidegate_upstream::{Egress, ProxyEnv};

use crate::cli::Options;

/// The settings file that is taken where none is named.
const DEFAULT_FILE: &str = "tidegate.toml";

/// Where the settings come from; read again at every reload.
#[derive(Debug, Clone)]
pub struct Origin {
    pub options: Options,
    pub env: BTreeMap<String, String>,
    /// `None`: no file was named, and there is none in the working directory.
    pub file: Option<PathBuf>,
}

impl Origin {
    pub fn new(options: &Options) -> Self {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = options
            .config
            .clone()
            .or_else(|| env.get(CONFIG_VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from));
        let file = named.or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()));
        Self { options: options.clone(), env, file }
    }

    /// # Errors
    /// Every mistake, one a line.
    pub fn settings(&self) -> Result<Settings, String> {
        let text = match &self.file {
            None => None,
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
                Some((path.display().to_string(), text))
            }
        };
        let demo = KnownProvider { id: DEMO, keyless: true, ..KnownProvider::default() };
        let known: Vec<KnownProvider<'_>> = catalog().iter().map(known).chain([demo]).collect();
        let arguments = self.options.arguments();
        tidegate_settings::load(&Inputs {
            file: text.as_ref().map(|(name, text)| SettingsFile { name, text }),
            env: &self.env,
            arguments: &arguments,
            known: &known,
            read_file: &|path| std::fs::read_to_string(path).map_err(|error| error.to_string()),
        })
        .map_err(|errors| errors.to_string())
    }

    /// PEM text of the certificates to trust besides the machine's.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn extra_ca_pem(&self, settings: &Settings) -> Result<Option<Vec<u8>>, String> {
        settings.egress.extra_ca_file.as_deref().map(read_ca).transpose()
    }

    /// # Errors
    /// What cannot be read or used.
    pub fn snapshot(&self, settings: &Settings, reuse: Option<Egress>) -> Result<Snapshot, String> {
        let trusted_hosts = self.env.get("TRUSTED_CUSTOM_HOSTS").map_or_else(Vec::new, |list| {
            list.split(',')
                .map(|host| host.trim().to_ascii_lowercase())
                .filter(|host| !host.is_empty())
                .collect()
        });
        let around = Surroundings {
            proxy: ProxyEnv::from_lookup(|name| self.env.get(name).cloned()),
            extra_ca_pem: self.extra_ca_pem(settings)?,
            trusted_hosts,
            configs: saved_configs(&settings.server.data_dir)?,
        };
        Snapshot::new(settings, around, reuse).map_err(|error| error.to_string())
    }
}

fn read_ca(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("egress.extra_ca_file: {}: {error}", path.display()))
}

fn known(row: &'static tidegate_catalog::Provider) -> KnownProvider<'static> {
    KnownProvider {
        id: row.id,
        aliases: row.aliases.clone(),
        key_variables: row.env.clone(),
        base_url_variables: row.env_base_url.iter().collect(),
        option_variables: row.env_options.iter().collect(),
        keyless: row.auth.is_keyless(),
    }
}
