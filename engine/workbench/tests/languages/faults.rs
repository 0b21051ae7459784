//! What authors do wrong, and what they are told: the place, the reason, the remedy.

use gudok_workbench::build::{Fault, Silent};
use gudok_workbench::project::Project;

/// A script with a fault.
struct Case {
    name: &'static str,
    /// "src/main.ts" or "src/main.py".
    file: &'static str,
    source: &'static str,
    /// Under [capabilities].
    capabilities: &'static str,
    /// The line in the file, 0 where it is not known.
    line: usize,
    problem: &'static str,
    remedy: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "a_method_that_there_is_not",
        file: "src/main.ts",
        source: "import { service } from \"gudok\";\nexport default service((call) => {\n  call.sey(\"Здравствуйте\");\n});\n",
        capabilities: "",
        line: 3,
        problem: "Property 'sey' does not exist on type 'Call'",
        remedy: "index.d.ts",
    },
    Case {
        name: "a_bracket_that_is_missing",
        file: "src/main.ts",
        source: "import { service } from \"gudok\";\nexport default service((call) => {\n  call.say(\"x\";\n});\n",
        capabilities: "",
        line: 3,
        problem: "')' expected",
        remedy: "",
    },
    Case {
        name: "a_capability_that_is_not_declared_in_typescript",
        file: "src/main.ts",
        source: "import { service, transfer } from \"gudok\";\nexport default service((call) => {\n  transfer(call, { group: \"operators\" });\n});\n",
        capabilities: "",
        line: 3,
        problem: "uses the interface `transfer`",
        remedy: "transfer = { groups",
    },
    Case {
        name: "a_module_of_node",
        file: "src/main.ts",
        source: "import { readFileSync } from \"node:fs\";\nimport { service } from \"gudok\";\nexport default service(() => { readFileSync(\"x\"); });\n",
        capabilities: "",
        line: 1,
        problem: "Cannot find module 'node:fs'",
        remedy: "no Node around it",
    },
    Case {
        name: "a_script_without_its_default",
        file: "src/main.ts",
        source: "import { service } from \"gudok\";\nexport const script = service(() => {});\n",
        capabilities: "",
        line: 0,
        problem: "No matching export",
        remedy: "export default service",
    },
    Case {
        name: "work_outside_of_functions_in_typescript",
        file: "src/main.ts",
        source: "import { service } from \"gudok\";\nconst table: any = undefined;\nconst city = table.name;\nexport default service((call) => { call.say(city); });\n",
        capabilities: "",
        line: 3,
        problem: "fails while it is loaded",
        remedy: "move it into the function",
    },
    Case {
        name: "the_host_asked_outside_of_functions",
        file: "src/main.ts",
        source: "import { host, service } from \"gudok\";\nconst city = host.config(\"city\");\nexport default service((call) => { call.say(city ?? \"x\"); });\n",
        capabilities: "",
        line: 0,
        problem: "asks the host while it is loaded",
        remedy: "move it into the function",
    },
    Case {
        name: "a_colon_that_is_missing",
        file: "src/main.py",
        source: "from gudok import service\n@service\ndef run(call)\n    call.say(\"x\")\n",
        capabilities: "",
        line: 3,
        problem: "SyntaxError: expected ':'",
        remedy: "",
    },
    Case {
        name: "a_module_that_needs_a_system",
        file: "src/main.py",
        source: "import socket\nfrom gudok import service\n@service\ndef run(call):\n    pass\n",
        capabilities: "",
        line: 1,
        problem: "cannot use the module socket",
        remedy: "`http` of `gudok`",
    },
    Case {
        name: "a_clock_of_the_system",
        file: "src/main.py",
        source: "from datetime import datetime\nfrom gudok import service\n@service\ndef run(call):\n    call.say(str(datetime.now()))\n",
        capabilities: "",
        line: 5,
        problem: "datetime.now asks the system",
        remedy: "host.now()",
    },
    Case {
        name: "a_capability_that_is_not_declared_in_python",
        file: "src/main.py",
        source: "from gudok import service, wait_in_queue\n@service\ndef run(call):\n    wait_in_queue(call, \"operators\")\n",
        capabilities: "",
        line: 1,
        problem: "needs the capability queues",
        remedy: "queues = { names",
    },
    Case {
        name: "a_module_that_is_not_there",
        file: "src/main.py",
        source: "from gudok import service\nimport towns\n@service\ndef run(call):\n    pass\n",
        capabilities: "",
        line: 2,
        problem: "there is no module towns",
        remedy: "src/towns.py",
    },
    Case {
        name: "a_script_without_its_function",
        file: "src/main.py",
        source: "from gudok import service\ndef run(call):\n    pass\n",
        capabilities: "",
        line: 0,
        problem: "names no function that serves a call",
        remedy: "",
    },
];

pub(crate) fn tests() -> Vec<(String, Box<dyn Fn()>)> {
    let all =
        CASES.iter().map(|case| (format!("{}_is_told", case.name), Box::new(move || check(case)) as Box<dyn Fn()>));
    all.chain([("conversations_in_code_are_printed".to_owned(), Box::new(conversations_are_printed) as Box<dyn Fn()>)])
        .collect()
}

/// A project in a folder of its own.
pub(crate) fn project(file: &str, source: &str, capabilities: &str) -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir_all(folder.path().join("src")).unwrap();
    let of_language = if file.ends_with(".py") { "pyproject.toml" } else { "package.json" };
    write(of_language, if file.ends_with(".py") { "" } else { "{\"name\": \"x\", \"type\": \"module\"}" });
    write(file, source);
    write(
        "manifest.toml",
        &format!(
            "format = 1\nname = \"x\"\nversion = \"1.0.0\"\nkind = \"service\"\ninterface = \"0.1\"\nagency = \"one\"\n\
             languages = [\"ru-RU\"]\n\n[capabilities]\n{capabilities}\n"
        ),
    );
    let project = Project::open(folder.path()).unwrap_or_else(|fault| panic!("{fault}"));
    (folder, project)
}

fn check(case: &Case) {
    let (_folder, project) = project(case.file, case.source, case.capabilities);
    let fault: Fault = project.build(&mut Silent).expect_err(case.name);
    let told = fault.to_string();
    assert_eq!(fault.exit_code(), 1, "{told}");
    assert!(told.contains(case.problem), "{told}");
    let place = fault.place.as_ref().unwrap_or_else(|| panic!("{told}"));
    assert_eq!((place.file.to_str(), place.line), (Some(case.file), case.line), "{told}");
    assert!(told.contains(case.remedy), "{told}");
}

fn conversations_are_printed() {
    let source = "export default 1;";
    let (folder, project) = project("src/main.ts", source, "");
    std::fs::create_dir(folder.path().join("tests")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join("tests").join(name), text).unwrap();
    write(
        "conversations.ts",
        "import { conversation, print } from \"gudok/testing\";\nconst title: string = \"Часы\";\nprint(conversation(title).says(\"…\").presses(1));\n",
    );
    write(
        "conversations.py",
        "from gudok.testing import conversation, print_all\nprint_all(conversation(\"Часы\").says(\"…\").presses(\"1\"))\n",
    );
    let expected: serde_json::Value = serde_json::json!({"format": 1, "conversations": [{
        "title": "Часы", "settings": [],
        "steps": [{"step": "says", "words": "…"}, {"step": "presses", "keys": "1"}],
    }]});
    for file in ["tests/conversations.ts", "tests/conversations.py"] {
        let printed = gudok_workbench::build::printed_conversations(&project, file.as_ref(), &mut Silent);
        let printed = printed.unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), expected, "{file}");
    }
    write("conversations.ts", "import { conversatio } from \"gudok/testing\";\nconversatio(;\n");
    let fault = gudok_workbench::build::printed_conversations(&project, "tests/conversations.ts".as_ref(), &mut Silent);
    let fault = fault.unwrap_err();
    assert_eq!(fault.place.as_ref().map(|place| place.line), Some(2));
}
