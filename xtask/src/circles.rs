//! Import cycles between the files of a crate.
//!
//! There is an edge from a file to each file of the same crate to which a path in it resolves.
//! Module declarations and re-exports (`mod`, `pub use`) are not edges: a path through a re-export
//! resolves to the file that defines the item.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ethdev_cli as cli;
use syn::visit::Visit;

use crate::tools::{command, output, root};

/// The allowed cycles: the crate, one of the files, and the reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("ethdev-cyw43", "ethdev-cyw43/src/chip.rs", INSIDE),
    ("ethdev-cyw43", "ethdev-cyw43/src/config.rs", INSIDE),
    ("ethdev-enc28j60", "ethdev-enc28j60/src/logic/chip.rs", INSIDE),
];

/// Why the circles of the SPI drivers are allowed.
const INSIDE: &str = "the logic of the SPI drivers is to be rewritten for its footprint";

/// Lists import cycles between the files of a crate.
///
/// Fails for a cycle that is not in the list of allowed ones, and for an entry of that list without
/// a cycle.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<()> {
    let mut unexpected = Vec::new();
    let mut unused: BTreeSet<&str> = ALLOWED.iter().map(|(_, file, _)| *file).collect();
    for (name, lib) in libraries()? {
        for circle in circles(&Crate::read(&lib)?) {
            let files = circle.join(", ");
            match ALLOWED
                .iter()
                .find(|(of, file, _)| *of == name && circle.iter().any(|f| f == file))
            {
                Some((_, file, reason)) => {
                    unused.remove(file);
                    cli::print(format_args!("{name}: {files}: allowed, {reason}"))?;
                }
                None => unexpected.push(format!("{name}: {files}")),
            }
        }
    }
    if !unexpected.is_empty() {
        bail!("import cycles:\n{}", unexpected.join("\n"));
    }
    if !unused.is_empty() {
        bail!("allowed cycles that do not exist: {unused:?}");
    }
    Ok(())
}

/// The libraries of the workspace: name and root file.
fn libraries() -> Result<Vec<(String, PathBuf)>> {
    let metadata: serde_json::Value = serde_json::from_str(&output(command("cargo").args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ]))?)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages
        .filter_map(|package| {
            let mut targets = package["targets"].as_array().into_iter().flatten();
            let lib = targets.find(|target| {
                let mut kinds = target["kind"].as_array().into_iter().flatten();
                kinds.any(|kind| kind == "lib")
            })?;
            Some((package["name"].as_str()?.to_owned(), lib["src_path"].as_str()?.into()))
        })
        .collect())
}

type Module = Vec<String>;

/// The modules of a crate, and the files to which their paths resolve.
#[derive(Default)]
struct Crate {
    files: BTreeMap<Module, String>,
    /// The names that a module re-exports, with their paths; `*` for all.
    exports: BTreeMap<Module, Vec<(String, Module)>>,
    paths: BTreeMap<Module, BTreeSet<Module>>,
}

impl Crate {
    fn read(lib: &Path) -> Result<Self> {
        let mut this = Self::default();
        let dir = lib.parent().context("a root file without a directory")?;
        this.read_file(lib, dir, Vec::new())?;
        Ok(this)
    }

    fn read_file(&mut self, file: &Path, dir: &Path, module: Module) -> Result<()> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let syntax = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        let shown = file.strip_prefix(root()).unwrap_or(file).display().to_string();
        self.files.insert(module.clone(), shown);
        self.read_items(&syntax.items, dir, &module)
    }

    fn read_items(&mut self, items: &[syn::Item], dir: &Path, module: &Module) -> Result<()> {
        let children: BTreeSet<String> = items
            .iter()
            .filter_map(|item| match item {
                syn::Item::Mod(item) => Some(item.ident.to_string()),
                _ => None,
            })
            .collect();
        for item in items {
            match item {
                syn::Item::Mod(item) if is_test(&item.attrs) => {}
                syn::Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let child: Module = module.iter().cloned().chain([name.clone()]).collect();
                    match &item.content {
                        // An inline module belongs to the file that it is in.
                        Some((_, items)) => {
                            let file = self.files.get(module).cloned().unwrap_or_default();
                            self.files.insert(child.clone(), file);
                            let dir = dir.join(path_attribute(&item.attrs).unwrap_or_else(|| name.clone()));
                            self.read_items(items, &dir, &child)?;
                        }
                        None => {
                            let place =
                                path_attribute(&item.attrs).map_or_else(|| dir.join(&name), |path| dir.join(path));
                            let flat = place.with_extension("rs");
                            if place.is_file() {
                                self.read_file(&place, dir, child)?;
                            } else if flat.is_file() {
                                self.read_file(&flat, &dir.join(&name), child)?;
                            } else {
                                self.read_file(&place.join("mod.rs"), &place, child)?;
                            }
                        }
                    }
                }
                syn::Item::Use(item) if !is_test(&item.attrs) => {
                    let mut found = Vec::new();
                    flatten(&item.tree, Vec::new(), &mut found);
                    let exported = matches!(item.vis, syn::Visibility::Public(_) | syn::Visibility::Restricted(_));
                    for (name, path) in found {
                        let Some(path) = absolute(&path, module, &children) else {
                            continue;
                        };
                        if exported {
                            self.exports.entry(module.clone()).or_default().push((name, path));
                        } else {
                            self.paths.entry(module.clone()).or_default().insert(path);
                        }
                    }
                }
                item => {
                    let mut visitor = Paths {
                        module,
                        children: &children,
                        found: self.paths.entry(module.clone()).or_default(),
                    };
                    visitor.visit_item(item);
                }
            }
        }
        Ok(())
    }

    /// The file that defines the item of a path.
    fn file_of(&self, path: &Module, depth: usize) -> Option<&str> {
        let mut module = path.as_slice();
        while !self.files.contains_key(module) {
            module = module.get(..module.len().checked_sub(1)?)?;
        }
        let name = path.get(module.len());
        if let (Some(name), Some(exports)) = (name, self.exports.get(module)) {
            let explicit = exports.iter().find(|(exported, _)| exported == name);
            if let Some((_, target)) = explicit.filter(|_| depth < 8) {
                return self.file_of(target, depth + 1);
            }
        }
        self.files.get(module).map(String::as_str)
    }
}

/// Collects paths into the crate outside of `use`.
struct Paths<'a> {
    module: &'a Module,
    children: &'a BTreeSet<String>,
    found: &'a mut BTreeSet<Module>,
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Module = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.found.extend(absolute(&segments, self.module, self.children));
        }
        syn::visit::visit_path(self, path);
    }
}

/// The path from the root of the crate; `None` if it leads elsewhere.
fn absolute(path: &[String], module: &Module, children: &BTreeSet<String>) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => absolute_or_here(rest, module),
        "super" => {
            let parent = module.get(..module.len().checked_sub(1)?)?.to_vec();
            match rest.first().map(String::as_str) {
                Some("super") => absolute(rest, &parent, children),
                _ => absolute_or_here(rest, &parent),
            }
        }
        name if children.contains(name) => absolute_or_here(path, module),
        _ => None,
    }
}

fn absolute_or_here(rest: &[String], module: &Module) -> Option<Module> {
    Some(module.iter().chain(rest).cloned().collect())
}

fn flatten(tree: &syn::UseTree, mut prefix: Module, found: &mut Vec<(String, Module)>) {
    match tree {
        syn::UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, found);
        }
        syn::UseTree::Name(name) if name.ident == "self" => {
            found.push((prefix.last().cloned().unwrap_or_default(), prefix));
        }
        syn::UseTree::Name(name) => {
            prefix.push(name.ident.to_string());
            found.push((name.ident.to_string(), prefix));
        }
        syn::UseTree::Rename(rename) => {
            if rename.ident != "self" {
                prefix.push(rename.ident.to_string());
            }
            found.push((rename.rename.to_string(), prefix));
        }
        syn::UseTree::Glob(_) => found.push(("*".to_owned(), prefix)),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, prefix.clone(), found);
            }
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let condition = list.tokens.to_string();
                condition.contains("test") && !condition.contains("not (test)") && !condition.contains("not(test)")
            })
    })
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(value) if attribute.path().is_ident("path") => match &value.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(path),
                ..
            }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

/// The sets of files that reach each other, each sorted.
fn circles(this: &Crate) -> Vec<Vec<String>> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, paths) in &this.paths {
        let Some(from) = this.files.get(module) else { continue };
        for to in paths.iter().filter_map(|path| this.file_of(path, 0)) {
            if to != from {
                edges.entry(from).or_default().insert(to);
            }
        }
    }
    let reach = |from: &str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(file) = next.pop() {
            for to in edges.get(file.as_str()).into_iter().flatten() {
                if seen.insert((*to).to_owned()) {
                    next.push((*to).to_owned());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = edges.keys().map(|file| (*file, reach(file))).collect();
    let mut circles = BTreeSet::new();
    for (file, reaches) in &reached {
        if reaches.contains(*file) {
            let back = |other: &&String| {
                reached
                    .get(other.as_str())
                    .is_some_and(|reaches| reaches.contains(*file))
            };
            circles.insert(reaches.iter().filter(back).cloned().collect::<Vec<String>>());
        }
    }
    circles.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let found = circles(&Crate::read(&dir.path().join("lib.rs")).unwrap());
        let strip = |file: String| file.rsplit('/').next().unwrap_or_default().to_owned();
        found
            .into_iter()
            .map(|circle| circle.into_iter().map(strip).collect())
            .collect()
    }

    #[test]
    fn circles_two_files_through_a_reexport_are_found() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "use crate::B; pub struct A(B);"),
            (
                "b.rs",
                "pub struct B; impl B { fn f() -> Option<super::a::A> { None } }",
            ),
        ];
        assert_eq!(circles_of(&files), [["a.rs", "b.rs"]]);
    }

    #[test]
    fn circles_facade_and_tests_are_no_edges() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "use crate::B; pub struct A(B);"),
            (
                "b.rs",
                "pub struct B; #[cfg(test)] mod tests { use crate::A; fn f() -> Option<A> { None } }",
            ),
        ];
        assert_eq!(circles_of(&files), Vec::<Vec<String>>::new());
    }
}
