//! The lower layer of the JavaScript SDK: declarations of the modules that a script imports.

use crate::wit::{Interface, camel, in_one_line, is_method, lines, params, pascal};
use wit_parser::{Docs, Function, Type, TypeDefKind, TypeId};

pub(crate) fn declarations(wit: &Interface) -> String {
    let mut text = String::from(
        "// Written from wit/v0.1.0 by engine/workbench/tests/interface. Do not edit: change the interface's comments, and write anew.\n\
         //\n\
         // The interface as a script sees it without the comfort of the SDK. What answers `result` throws its error.\n\n\
         /// <reference lib=\"esnext.disposable\" />\n",
    );
    for (name, interface) in wit.interfaces() {
        text += "\n";
        text += &comment(&interface.docs, "");
        text += &format!("declare module \"gudok:ivr/{name}@0.1.0\" {{\n");
        for other in wit.uses(name, interface) {
            text += &format!("  import type * as {} from \"gudok:ivr/{other}@0.1.0\";\n", camel(&other));
        }
        let writer = Writer { wit, home: name };
        let mut body = String::new();
        for (type_name, id) in wit.own_types(interface) {
            body += &writer.declared(interface, type_name, id);
        }
        for function in wit.free_functions(interface) {
            let lead = if Interface::is_export(name) { "export type " } else { "export function " };
            let signature = match Interface::is_export(name) {
                true => format!(
                    "{} = ({}) => {};",
                    pascal(function.item_name()),
                    writer.parameters(function),
                    writer.answer(function)
                ),
                false => format!("{};", writer.signature(function)),
            };
            body += &writer.commented(function, "  ");
            body += &format!("  {lead}{signature}\n");
        }
        text += &body;
        text += "}\n";
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
        let head = comment(&def.docs, "  ");
        let name = pascal(name);
        let body = match &def.kind {
            TypeDefKind::Record(record) => {
                let field = |field: &wit_parser::Field| {
                    let name = camel(&field.name);
                    format!("{}    {name}: {};\n", comment(&field.docs, "    "), spelled(self.wit, self.home, field.ty))
                };
                let fields: String = record.fields.iter().map(field).collect();
                format!("  export interface {name} {{\n{fields}  }}\n")
            }
            TypeDefKind::Variant(variant) => {
                let case = |case: &wit_parser::Case| {
                    let value = case.ty.map(|ty| format!("; val: {}", spelled(self.wit, self.home, ty)));
                    let value = value.unwrap_or_default();
                    format!("{}    | {{ tag: \"{}\"{value} }}", comment(&case.docs, "    "), case.name)
                };
                let cases: Vec<String> = variant.cases.iter().map(case).collect();
                format!("  export type {name} =\n{};\n", cases.join("\n"))
            }
            TypeDefKind::Enum(all) => {
                let case =
                    |case: &wit_parser::EnumCase| format!("{}    | \"{}\"", comment(&case.docs, "    "), case.name);
                let cases: Vec<String> = all.cases.iter().map(case).collect();
                format!("  export type {name} =\n{};\n", cases.join("\n"))
            }
            TypeDefKind::Flags(flags) => {
                let flags: String =
                    flags.flags.iter().map(|flag| format!("    {}: boolean;\n", camel(&flag.name))).collect();
                format!("  export interface {name} {{\n{flags}  }}\n")
            }
            TypeDefKind::Resource => {
                let mut body = format!("  export class {name} {{\n    private constructor();\n");
                for function in self.wit.methods(interface, id) {
                    let lead = if is_method(function) { "" } else { "static " };
                    body += &self.commented(function, "    ");
                    body += &format!("    {lead}{};\n", self.signature(function));
                }
                // Handles are given back by hand, or when the engine collects garbage.
                body += "    [Symbol.dispose](): void;\n  }\n";
                body
            }
            TypeDefKind::Type(ty) => format!("  export type {name} = {};\n", spelled(self.wit, self.home, *ty)),
            other => panic!("{name}: {} has no spelling in JavaScript", other.as_str()),
        };
        head + &body
    }

    fn commented(&self, function: &Function, indent: &str) -> String {
        let error = self.wit.answers(function).error;
        let throws = error.map(|error| format!("@throws {}", spelled(self.wit, self.home, error)));
        let mut all = lines(&function.docs);
        all.extend(throws.as_deref());
        block(&all, indent)
    }

    fn signature(&self, function: &Function) -> String {
        format!("{}({}): {}", camel(function.item_name()), self.parameters(function), self.answer(function))
    }

    fn parameters(&self, function: &Function) -> String {
        let param =
            |param: &wit_parser::Param| format!("{}: {}", camel(&param.name), spelled(self.wit, self.home, param.ty));
        params(function).iter().map(param).collect::<Vec<_>>().join(", ")
    }

    fn answer(&self, function: &Function) -> String {
        self.wit.answers(function).value.map_or_else(|| "void".to_owned(), |ty| spelled(self.wit, self.home, ty))
    }
}

/// A type in JavaScript's words, as module `home` writes it.
pub(crate) fn spelled(wit: &Interface, home: &str, ty: Type) -> String {
    match ty {
        Type::Bool => "boolean".into(),
        Type::String | Type::Char => "string".into(),
        Type::Id(id) => {
            let id = wit.behind(id);
            match &wit.def(id).kind {
                TypeDefKind::Option(inner) => format!("{} | null", spelled(wit, home, *inner)),
                TypeDefKind::List(Type::U8) => "Uint8Array".into(),
                TypeDefKind::List(inner) => match spelled(wit, home, *inner) {
                    union if union.contains('|') => format!("({union})[]"),
                    one => format!("{one}[]"),
                },
                TypeDefKind::Type(plain) => spelled(wit, home, *plain),
                _ => {
                    let name = pascal(wit.def(id).name.as_deref().unwrap_or_default());
                    match wit.owner(id) {
                        owner if owner == home => name,
                        owner => format!("{}.{name}", camel(owner)),
                    }
                }
            }
        }
        _ => "number".into(),
    }
}

/// A comment of the interface's, for one thing.
fn comment(docs: &Docs, indent: &str) -> String {
    block(&lines(docs), indent)
}

fn block(lines: &[&str], indent: &str) -> String {
    match lines {
        [] => String::new(),
        [one] => format!("{indent}/** {one} */\n"),
        many => {
            let line = |line: &&str| format!("{indent} * {line}").trim_end().to_owned() + "\n";
            format!("{indent}/**\n{}{indent} */\n", many.iter().map(line).collect::<String>())
        }
    }
}

/// A function as the reference page has it.
pub(crate) fn reference(wit: &Interface, home: &str, function: &Function) -> String {
    let writer = Writer { wit, home };
    let owner = crate::wit::resource_of(function).map(|id| {
        let name = wit.def(id).name.as_deref().unwrap_or_default();
        format!("{}.", if is_method(function) { camel(name) } else { pascal(name) })
    });
    debug_assert!(!in_one_line(&function.docs).contains('\n'));
    format!("{}{}", owner.unwrap_or_default(), writer.signature(function))
}
