//! Every request of the plugin, held against what the vendor's own code says of the interface: a field that was renamed
//! or a page that moved is seen here by its name, whether or not a test walks that way.

use std::collections::BTreeSet;

use serde_json::Value;

/// A description and the places that were not in it.
struct Contract {
    spec: Value,
    missing: BTreeSet<String>,
}

impl Contract {
    /// Follows references.
    fn resolved<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        while let Some(path) = schema["$ref"].as_str() {
            schema = self.spec.pointer(path.trim_start_matches('#')).unwrap_or(&Value::Null);
        }
        match schema["allOf"].as_array().map(Vec::as_slice) {
            Some([one]) => self.resolved(one),
            _ => schema,
        }
    }

    /// Whether a place, as the manifest writes it, is in a schema.
    fn has(&self, schema: &Value, place: &str) -> bool {
        let mut at = self.resolved(schema);
        for step in place.split('/').skip(1) {
            at = self.resolved(match step {
                "*" => &at["items"],
                name => &at["properties"][name],
            });
        }
        at.is_object()
    }

    /// The page of an address such as `contacts/{id}/`, whatever the placeholder is called.
    fn page(&self, address: &str) -> &Value {
        let steps =
            |path: &str| path.trim_start_matches("/api/").split('/').map(str::to_owned).collect::<Vec<_>>();
        let wanted = steps(address);
        let fits = |path: &str| {
            let known = steps(path);
            known.len() == wanted.len()
                && known.iter().zip(&wanted).all(|(known, wanted)| known == wanted || known.starts_with('{'))
        };
        // One without a placeholder goes before one that has it there.
        let mut pages: Vec<_> =
            self.spec["paths"].as_object().unwrap().iter().filter(|(path, _)| fits(path)).collect();
        pages.sort_by_key(|(path, _)| path.matches('{').count());
        pages.first().map_or(&Value::Null, |(_, page)| *page)
    }

    fn route(&mut self, route: &toml::Value) {
        let id = route["id"].as_str().unwrap();
        let (method, address) =
            route["request"].as_str().unwrap().split_once(" {setting.server}/api/").unwrap();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        // `{kind}` and the like stand for each of their words.
        let mut paths = vec![path.to_owned()];
        for (name, kind) in route.get("params").and_then(toml::Value::as_table).into_iter().flatten() {
            let words = kind.as_str().unwrap().strip_prefix("enum(").map(|words| words.trim_end_matches(')'));
            if let Some(words) = words {
                paths = words
                    .split('|')
                    .flat_map(|word| paths.iter().map(move |path| path.replace(&format!("{{{name}}}"), word)))
                    .collect();
            }
        }
        let mut missing = BTreeSet::new();
        for path in paths {
            let operation = &self.page(&path)[method.to_lowercase()];
            if !operation.is_object() {
                missing.insert(format!("{id}: {method} {path}"));
                continue;
            }
            for field in
                query.split('&').filter_map(|field| field.split('=').next()).filter(|field| !field.is_empty())
            {
                let known =
                    operation["parameters"].as_array().into_iter().flatten().any(|p| p["name"] == field);
                if !known && !field.starts_with('{') {
                    missing.insert(format!("{id}: {path}?{field}"));
                }
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let success = operation["responses"]
                .as_object()
                .into_iter()
                .flatten()
                .find(|(code, _)| code.starts_with('2'));
            let answer =
                success.map_or(&Value::Null, |(_, answer)| &answer["content"]["application/json"]["schema"]);
            for (key, schema) in [("send", body), ("receive", answer)] {
                for place in route.get(key).and_then(toml::Value::as_table).into_iter().flatten() {
                    if !place.0.is_empty() && !self.has(schema, place.0) {
                        missing.insert(format!("{id}: {key} {}", place.0));
                    }
                }
            }
        }
        self.missing.extend(missing);
    }
}

#[tokio::test]
async fn every_request_and_every_answer_is_in_the_vendors_own_description() {
    let openapi = ramal_tests::bottlecrm::BottleCrm::openapi().await.unwrap();
    let Some(spec) = openapi.or_skip("every_request_and_every_answer_is_in_the_vendors_own_description")
    else {
        return;
    };
    let manifest: toml::Table = include_str!("../../../plugins/bottlecrm/plugin.toml").parse().unwrap();
    let mut contract = Contract { spec, missing: BTreeSet::new() };
    for route in manifest["route"].as_array().unwrap() {
        contract.route(route);
    }
    let missing: Vec<&str> = contract.missing.iter().map(String::as_str).collect();
    // The server reads these and its description leaves them out; the tests of lists and erasures walk them.
    let unsaid = [
        "changes: contacts/?limit",
        "changes: contacts/?offset",
        "search: contacts/?limit",
        "search: contacts/?offset",
        "search: contacts/?search",
        "subject-invoices: invoices/?contact",
        "subject-invoices: invoices/?limit",
    ];
    assert_eq!(missing, unsaid);
}

#[tokio::test]
async fn a_planted_field_or_page_is_missed() {
    let openapi = ramal_tests::bottlecrm::BottleCrm::openapi().await.unwrap();
    let Some(spec) = openapi.or_skip("a_planted_field_or_page_is_missed") else { return };
    let planted: toml::Table = r#"
        [[route]]
        id = "field"
        request = "POST {setting.server}/api/contacts/?nobody=1"
        send."/first_name" = "contact.name"
        send."/nickname" = "contact.name"
        receive."/id" = "id"
        receive."/uid" = "id"
        [[route]]
        id = "page"
        request = "GET {setting.server}/api/people/{id}/"
        params = { id = "id" }
    "#
    .parse()
    .unwrap();
    let mut contract = Contract { spec, missing: BTreeSet::new() };
    for route in planted["route"].as_array().unwrap() {
        contract.route(route);
    }
    let missing: Vec<&str> = contract.missing.iter().map(String::as_str).collect();
    assert_eq!(
        missing,
        ["field: contacts/?nobody", "field: receive /uid", "field: send /nickname", "page: GET people/{id}/"]
    );
}
