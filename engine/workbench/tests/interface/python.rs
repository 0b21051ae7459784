//! The lower layer of the Python SDK: the modules that componentize-py puts into a script, for editors, type checkers and
//! unit tests. The real ones take their place when the script is built.

use crate::wit::{Interface, is_method, lines, params, pascal, snake};
use wit_parser::{Docs, Function, Type, TypeDefKind, TypeId};

const NOTE: &str = "# Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.\n";
const IMPORTS: &str = "from __future__ import annotations\n\nfrom dataclasses import dataclass\nfrom enum import Enum, Flag, auto\nfrom types import TracebackType\nfrom typing import List, Optional, Self, Union\n";

/// Words of Python that no name may be.
const KEYWORDS: [&str; 4] = ["from", "import", "pass", "class"];

/// Every module by its place.
pub(crate) fn modules(wit: &Interface) -> Vec<(String, String)> {
    let mut modules = vec![
        ("wit_world/__init__.py".into(), NOTE.into()),
        ("wit_world/imports/__init__.py".into(), NOTE.into()),
        ("wit_world/exports/__init__.py".into(), NOTE.into()),
        ("componentize_py_types.py".into(), errors()),
    ];
    for (name, interface) in wit.interfaces() {
        let folder = if Interface::is_export(name) { "exports" } else { "imports" };
        modules.push((format!("wit_world/{folder}/{}.py", snake(name)), module(wit, name, interface)));
    }
    modules
}

/// How an error of the host arrives.
fn errors() -> String {
    format!(
        "{NOTE}\nfrom dataclasses import dataclass\nfrom typing import Generic, TypeVar\n\nE = TypeVar(\"E\")\n\n\n\
         @dataclass(frozen=True)\nclass Err(Generic[E], Exception):\n    \"\"\"An error of a host call, or of the script's own.\"\"\"\n\n    value: E\n"
    )
}

fn module(wit: &Interface, name: &str, interface: &wit_parser::Interface) -> String {
    let mut text = format!("{NOTE}{}\n{IMPORTS}", docstring(&lines(&interface.docs), ""));
    let uses = wit.uses(name, interface);
    if !uses.is_empty() {
        text += "\n";
    }
    for other in uses {
        text += &format!("from wit_world.imports import {}\n", snake(&other));
    }
    let writer = Writer { wit, home: name };
    for (type_name, id) in wit.own_types(interface) {
        text += &writer.declared(interface, type_name, id);
    }
    if !Interface::is_export(name) {
        for function in wit.free_functions(interface) {
            text += &format!("\n\n{}", writer.function(function, ""));
        }
    }
    text
}

struct Writer<'a> {
    wit: &'a Interface,
    home: &'a str,
}

impl Writer<'_> {
    fn declared(&self, interface: &wit_parser::Interface, name: &str, id: TypeId) -> String {
        let def = self.wit.def(id);
        let name = pascal(name);
        let docs = docstring(&lines(&def.docs), "    ");
        match &def.kind {
            TypeDefKind::Record(record) => {
                let field = |field: &wit_parser::Field| {
                    let comment: String = lines(&field.docs).iter().map(|line| format!("    #: {line}\n")).collect();
                    format!("{comment}    {}: {}\n", plain(&field.name), self.spelled(field.ty))
                };
                let fields: String = record.fields.iter().map(field).collect();
                format!("\n\n@dataclass\nclass {name}:\n{docs}{fields}")
            }
            TypeDefKind::Variant(variant) => {
                let mut text = String::new();
                for case in &variant.cases {
                    let docs = docstring(&lines(&case.docs), "    ");
                    let value = case.ty.map(|ty| format!("    value: {}\n", self.spelled(ty)));
                    let body = docs
                        + &value
                            .unwrap_or_else(|| if case.docs.is_empty() { "    pass\n".into() } else { String::new() });
                    text += &format!("\n\n@dataclass\nclass {name}_{}:\n{body}", pascal(&case.name));
                }
                let cases: Vec<String> =
                    variant.cases.iter().map(|case| format!("{name}_{}", pascal(&case.name))).collect();
                format!("{text}\n\n{name} = Union[{}]\n{}", cases.join(", "), docstring(&lines(&def.docs), ""))
            }
            TypeDefKind::Enum(all) => {
                let case = |(place, case): (usize, &wit_parser::EnumCase)| {
                    let comment: String = lines(&case.docs).iter().map(|line| format!("    #: {line}\n")).collect();
                    format!("{comment}    {} = {place}\n", snake(&case.name).to_uppercase())
                };
                let cases: String = all.cases.iter().enumerate().map(case).collect();
                format!("\n\nclass {name}(Enum):\n{docs}{cases}")
            }
            TypeDefKind::Flags(flags) => {
                let flag = |flag: &wit_parser::Flag| format!("    {} = auto()\n", snake(&flag.name).to_uppercase());
                let flags: String = flags.flags.iter().map(flag).collect();
                format!("\n\nclass {name}(Flag):\n{docs}{flags}")
            }
            TypeDefKind::Resource => {
                let methods = self.wit.methods(interface, id);
                let methods = methods.iter().map(|function| self.function(function, "    ") + "\n").collect::<String>();
                format!(
                    "\n\nclass {name}:\n{docs}{methods}    def __enter__(self) -> Self: raise NotImplementedError\n\n    \
                     def __exit__(self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None) -> bool | None: raise NotImplementedError\n"
                )
            }
            TypeDefKind::Type(ty) => {
                format!("\n\n{name} = {}\n{}", self.spelled(*ty), docstring(&lines(&def.docs), ""))
            }
            other => panic!("{name}: {} has no spelling in Python", other.as_str()),
        }
    }

    fn function(&self, function: &Function, indent: &str) -> String {
        let error = self.wit.answers(function).error;
        let raises = error.map(|error| format!("Raises: `Err({})`", self.spelled(error)));
        let mut all = lines(&function.docs);
        if !all.is_empty() && raises.is_some() {
            all.push("");
        }
        all.extend(raises.as_deref());
        let inner = format!("{indent}    ");
        let lead = if indent.is_empty() || is_method(function) { "" } else { "    @classmethod\n" };
        format!(
            "{lead}{indent}def {}:\n{}{inner}raise NotImplementedError\n",
            self.signature(function, !indent.is_empty()),
            docstring(&all, &inner)
        )
    }

    fn signature(&self, function: &Function, of_a_class: bool) -> String {
        let this = match (of_a_class, is_method(function)) {
            (true, true) => Some("self".to_owned()),
            (true, false) => Some("cls".to_owned()),
            (false, _) => None,
        };
        let param = |param: &wit_parser::Param| format!("{}: {}", plain(&param.name), self.spelled(param.ty));
        let all: Vec<String> = this.into_iter().chain(params(function).iter().map(param)).collect();
        format!("{}({}) -> {}", plain(function.item_name()), all.join(", "), self.answer(function))
    }

    fn answer(&self, function: &Function) -> String {
        self.wit.answers(function).value.map_or_else(|| "None".to_owned(), |ty| self.spelled(ty))
    }

    fn spelled(&self, ty: Type) -> String {
        spelled(self.wit, self.home, ty)
    }
}

/// A type in Python's words, as module `home` writes it.
pub(crate) fn spelled(wit: &Interface, home: &str, ty: Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::String | Type::Char => "str".into(),
        Type::Id(id) => {
            let id = wit.behind(id);
            match &wit.def(id).kind {
                TypeDefKind::Option(inner) => format!("Optional[{}]", spelled(wit, home, *inner)),
                TypeDefKind::List(Type::U8) => "bytes".into(),
                TypeDefKind::List(inner) => format!("List[{}]", spelled(wit, home, *inner)),
                TypeDefKind::Type(plain) => spelled(wit, home, *plain),
                _ => {
                    let name = pascal(wit.def(id).name.as_deref().unwrap_or_default());
                    match wit.owner(id) {
                        owner if owner == home => name,
                        owner => format!("{}.{name}", snake(owner)),
                    }
                }
            }
        }
        _ => "int".into(),
    }
}

fn plain(name: &str) -> String {
    let name = snake(name);
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

fn docstring(lines: &[&str], indent: &str) -> String {
    match lines {
        [] => String::new(),
        // A quotation at the end would end the comment.
        [one] if !one.ends_with('"') => format!("{indent}\"\"\"{one}\"\"\"\n"),
        many => {
            let line = |line: &&str| format!("{indent}{line}").trim_end().to_owned() + "\n";
            format!("{indent}\"\"\"\n{}{indent}\"\"\"\n", many.iter().map(line).collect::<String>())
        }
    }
}

/// A function as the reference page has it.
pub(crate) fn reference(wit: &Interface, home: &str, function: &Function) -> String {
    let writer = Writer { wit, home };
    let owner = crate::wit::resource_of(function).map(|id| {
        let name = wit.def(id).name.as_deref().unwrap_or_default();
        format!("{}.", if is_method(function) { snake(name) } else { pascal(name) })
    });
    format!("{}{}", owner.unwrap_or_default(), writer.signature(function, false))
}

/// Whether there is anything to say.
pub(crate) const fn is_silent(docs: &Docs) -> bool {
    docs.contents.is_none()
}
