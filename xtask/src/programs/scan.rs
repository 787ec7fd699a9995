//! Checks that the sources start exactly the programs of the table.
//!
//! The argument of `Command::new` is resolved through constants and through functions that pass
//! their argument on. If that gives no name, or if the program starts others named in its
//! arguments, a comment in the three lines above must name them: `// Starts: ip, and sh, which
//! starts cat`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprPath, FnArg, ItemConst, ItemFn, Lit, Macro, Pat, Token, Visibility};

use super::PROGRAMS;
use crate::tools::root;

/// Programs that start the program in their arguments.
const LAUNCHERS: [&str; 4] = ["setpriv", "sh", "timeout", "unshare"];
const COMMENT: &str = "// Starts: ";

/// The scope of a name: a file, or a package for items that are not private.
type Scope = PathBuf;

#[derive(Debug, Default)]
struct Found {
    /// String constants, or a program of the workspace (`None`).
    constants: BTreeMap<(Scope, String), Option<String>>,
    /// Functions that start the program in their argument with this index.
    wrappers: BTreeMap<(Scope, String), usize>,
    programs: BTreeSet<String>,
    problems: BTreeSet<String>,
}

struct Scan<'a> {
    file: &'a Path,
    package: &'a Path,
    lines: &'a [&'a str],
    /// The enclosing functions, the innermost last: scopes, names and parameters.
    functions: Vec<(Scope, String, Vec<String>)>,
    found: &'a mut Found,
}

impl Scan<'_> {
    fn scope(&self, visibility: &Visibility) -> Scope {
        match visibility {
            Visibility::Inherited => self.file.to_owned(),
            _ => self.package.to_owned(),
        }
    }

    fn look_up<'m, T>(&self, map: &'m BTreeMap<(Scope, String), T>, name: &str) -> Option<&'m T> {
        let mut scopes = [self.file, self.package].into_iter();
        scopes.find_map(|scope| map.get(&(scope.to_owned(), name.to_owned())))
    }

    fn is_declared(&self, span: Span) -> bool {
        let line = span.start().line - 1;
        self.lines[line.saturating_sub(3)..line]
            .iter()
            .any(|above| above.trim_start().starts_with(COMMENT))
    }

    fn problem(&mut self, span: Span, what: &str) {
        let place = format!("{}:{}", self.file.display(), span.start().line);
        self.found.problems.insert(format!("{place}: {what}"));
    }

    /// A call that starts the program in `argument`.
    fn start(&mut self, argument: &Expr, call: Span) {
        let declared = self.is_declared(call);
        let program = match argument {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            Expr::Macro(expr) if expr.mac.path.is_ident("env") => return,
            Expr::Path(path) if !declared => {
                let name = last(path);
                let parameter = self.functions.last().and_then(|(scope, function, parameters)| {
                    let index = parameters.iter().position(|parameter| *parameter == name)?;
                    Some(((scope.clone(), function.clone()), index))
                });
                if let Some((wrapper, index)) = parameter {
                    self.found.wrappers.insert(wrapper, index);
                    return;
                }
                match self.look_up(&self.found.constants, &name) {
                    Some(None) => return,
                    Some(Some(program)) => Some(program.clone()),
                    None => None,
                }
            }
            _ => None,
        };
        match program {
            Some(program) if LAUNCHERS.contains(&&*program) && !declared => {
                self.problem(call, &format!("no comment names the programs that {program} starts"));
            }
            Some(program) => {
                self.found.programs.insert(program);
            }
            None if declared => {}
            None => self.problem(call, "no comment names the program"),
        }
    }
}

fn last(path: &ExprPath) -> String {
    let last = path.path.segments.last();
    last.map(|segment| segment.ident.to_string()).unwrap_or_default()
}

fn is_command_new(path: &ExprPath) -> bool {
    let mut names = path.path.segments.iter().rev().map(|segment| segment.ident.to_string());
    names.next().as_deref() == Some("new") && names.next().as_deref() == Some("Command")
}

impl<'ast> Visit<'ast> for Scan<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let parameters = item.sig.inputs.iter().map(|input| match input {
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(name) => name.ident.to_string(),
                _ => String::new(),
            },
            FnArg::Receiver(_) => String::new(),
        });
        let function = (self.scope(&item.vis), item.sig.ident.to_string(), parameters.collect());
        self.functions.push(function);
        visit::visit_item_fn(self, item);
        self.functions.pop();
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        let text = match &*item.expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(Some(text.value())),
                _ => None,
            },
            Expr::Macro(expr) if expr.mac.path.is_ident("env") => Some(None),
            _ => None,
        };
        if let Some(text) = text {
            let name = (self.scope(&item.vis), item.ident.to_string());
            self.found.constants.insert(name, text);
        }
        visit::visit_item_const(self, item);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let Expr::Path(function) = &*call.func else {
            return visit::visit_expr_call(self, call);
        };
        let index = if is_command_new(function) {
            Some(0)
        } else {
            self.look_up(&self.found.wrappers, &last(function)).copied()
        };
        if let Some(argument) = index.and_then(|index| call.args.get(index)) {
            self.start(argument, call.span());
        }
        for argument in &call.args {
            self.visit_expr(argument);
        }
    }

    /// A use of the path without a call.
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if is_command_new(path) {
            self.problem(path.span(), "Command::new is passed on");
        }
    }

    fn visit_use_rename(&mut self, rename: &'ast syn::UseRename) {
        if rename.ident == "Command" {
            self.problem(rename.span(), "Command under another name");
        }
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        match mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            Ok(arguments) => {
                // They live on no longer than this.
                let mut inner = Scan {
                    file: self.file,
                    package: self.package,
                    lines: self.lines,
                    functions: self.functions.clone(),
                    found: &mut *self.found,
                };
                arguments.iter().for_each(|argument| inner.visit_expr(argument));
            }
            Err(_) if mac.tokens.to_string().contains("Command :: new") => {
                self.problem(mac.span(), "Command::new in a macro that cannot be parsed");
            }
            Err(_) => {}
        }
    }
}

/// The source files of the repository, with the directories of their packages.
fn sources(directory: &Path, package: &Path, list: &mut Vec<(PathBuf, PathBuf)>) {
    let package = if directory.join("Cargo.toml").is_file() {
        directory
    } else {
        package
    };
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, package, list);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            list.push((path, package.to_owned()));
        }
    }
}

/// The programs that these files start.
fn scan(files: &[(PathBuf, PathBuf, String)]) -> Found {
    let mut found = Found::default();
    let parsed = files.iter().map(|(file, package, text)| {
        let syntax = syn::parse_file(text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        (file, package, text.lines().collect::<Vec<_>>(), syntax)
    });
    let parsed: Vec<_> = parsed.collect();
    for (.., lines, _) in &parsed {
        for comment in lines.iter().filter_map(|line| line.trim_start().strip_prefix(COMMENT)) {
            let words = comment.split(|c: char| c == ',' || c.is_whitespace());
            let words = words.filter(|word| PROGRAMS.iter().any(|(name, ..)| name == word));
            found.programs.extend(words.map(str::to_owned));
        }
    }
    // Each round uses the constants and wrappers that the previous one found.
    loop {
        let known = (found.constants.len(), found.wrappers.len());
        found.problems.clear();
        for (file, package, lines, syntax) in &parsed {
            let mut scan = Scan {
                file,
                package,
                lines,
                functions: Vec::new(),
                found: &mut found,
            };
            scan.visit_file(syntax);
        }
        if known == (found.constants.len(), found.wrappers.len()) {
            return found;
        }
    }
}

#[test]
fn table_names_programs_that_sources_start() {
    let mut files = Vec::new();
    sources(&root(), &root(), &mut files);
    let read = |(file, package): (PathBuf, PathBuf)| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file, package, text)
    };
    let mut files: Vec<_> = files.into_iter().map(read).collect();
    // Parsing is slow: only packages that may start a program.
    let starting = files.iter().filter(|(.., text)| text.contains("process::"));
    let packages: BTreeSet<PathBuf> = starting.map(|(_, package, _)| package.clone()).collect();
    files.retain(|(_, package, _)| packages.contains(package));
    let found = scan(&files);
    assert!(found.problems.is_empty(), "{:#?}", found.problems);
    let table: BTreeSet<String> = PROGRAMS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(table.len(), PROGRAMS.len(), "a program has two rows");
    let unknown: Vec<_> = found.programs.difference(&table).collect();
    assert!(unknown.is_empty(), "started, not in the table: {unknown:?}");
    let idle: Vec<_> = table.difference(&found.programs).collect();
    assert!(idle.is_empty(), "in the table, never started: {idle:?}");
}

fn scan_text(text: &str) -> Found {
    scan(&[("a/b.rs".into(), "a".into(), text.to_owned())])
}

#[test]
fn scan_follows_constants_wrappers_and_macros() {
    let found = scan_text(
        r#"
        const TOOL: &str = "one";
        const OWN: &str = env!("CARGO_BIN_EXE_own");
        fn inner(_: u8, program: &str) { std::process::Command::new(program); }
        fn outer(program: &str) { inner(0, program); }
        fn f() {
            Command::new(TOOL);
            Command::new(OWN);
            outer("two");
            assert!(inner(1, "three"), "{}", Command::new("four"));
        }
        "#,
    );
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let programs: Vec<&str> = found.programs.iter().map(String::as_str).collect();
    assert_eq!(programs, ["four", "one", "three", "two"]);
}

#[test]
fn scan_of_what_it_cannot_follow_is_a_problem() {
    for line in [
        r#"for tool in ["one"] { Command::new(tool); }"#,
        r#"["one"].map(Command::new);"#,
        r#"Command::new("timeout").arg("one");"#,
        r#"own! { x => Command::new("one") }"#,
        "use std::process::Command as Other;",
    ] {
        let found = scan_text(&format!("fn f() {{\n{line}\n}}"));
        assert_eq!(found.problems.len(), 1, "{line}: {:?}", found.problems);
    }
    let declared = "fn f() {\n// Starts: ip\nCommand::new(\"timeout\").arg(\"ip\");\n}";
    let found = scan_text(declared);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert!(found.programs.contains("ip") && found.programs.contains("timeout"));
}
