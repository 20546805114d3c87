//! The API and the pages, called through the router. Every person here is invented.

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use ramal_practice_crm::{ApiKey, PracticeCrm};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt;

const KEY: &str = "practice-key-0016";

fn crm() -> Router {
    PracticeCrm::new(ApiKey::new(KEY).unwrap(), "http://127.0.0.1:8099".parse().unwrap()).router()
}

/// Status and body of a call with the key. A body that is no JSON comes as a JSON string.
async fn call(crm: &Router, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {KEY}"))
        .body(body);
    answer(crm, request.unwrap()).await
}

async fn answer(crm: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = crm.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn get(crm: &Router, path: &str) -> Value {
    let (status, body) = call(crm, Method::GET, path, None).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[rstest]
#[case::none(None)]
#[case::wrong(Some("Bearer practice-key-0017"))]
#[case::other_scheme(Some("Basic practice-key-0016"))]
#[case::bare_key(Some("practice-key-0016"))]
#[tokio::test]
async fn without_the_key_nothing_is_told(
    #[case] authorization: Option<&str>,
    #[values("/api/v1/account", "/api/v1/contacts/c-0001", "/api/v1/nowhere")] path: &str,
) {
    let mut request = Request::builder().uri(path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let (status, body) = answer(&crm(), request.body(Body::empty()).unwrap()).await;
    assert_eq!((status, body["error"]["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("unauthorized")));
}

#[tokio::test]
async fn a_contact_has_the_documented_fields() {
    let mut contact = get(&crm(), "/api/v1/contacts/c-0006").await;
    for list in ["deals", "notes"] {
        contact[list].as_array_mut().unwrap().truncate(1);
    }
    insta::assert_json_snapshot!(contact, @r#"
    {
      "id": "c-0006",
      "name": "Paulo Henrique Salgado",
      "company": "Escola Pequeno Saber (fictícia)",
      "phones": [
        "+5519987654006",
        "+551932100006"
      ],
      "emails": [
        "paulo.salgado@example.invalid"
      ],
      "document": "12.345.006/0001-91",
      "owner": {
        "id": "u-0003",
        "name": "Carla Dias"
      },
      "city": "Campinas",
      "since": "2022-07-11",
      "url": "http://127.0.0.1:8099/contacts/c-0006",
      "updated_ms": 1794984507780,
      "birth_date": "1988-07-15",
      "address": {
        "street": "Alameda da Ficção",
        "number": "68",
        "district": "Bairro Inventado",
        "city": "Campinas",
        "state": "SP",
        "postcode": "00000-006"
      },
      "job_title": "Diretor",
      "language": "pt-BR",
      "time_zone": "America/Sao_Paulo",
      "lifecycle": "customer",
      "tags": [
        "vip",
        "licitação"
      ],
      "credit": {
        "limit": "3500.00",
        "used": "222.90",
        "currency": "BRL",
        "days_overdue": 0
      },
      "consent": {
        "marketing": false,
        "source": "formulário do site",
        "at": "2025-02-10"
      },
      "scores": {
        "lead": 2,
        "churn": 0.74,
        "satisfaction": 2
      },
      "notes": [
        {
          "id": "n-0009",
          "contact_id": "c-0006",
          "author_id": "u-0003",
          "text": "Indicou dois clientes no ano passado.",
          "created_ms": 1794898107780
        }
      ],
      "deals": [
        {
          "id": "d-0006",
          "contact_id": "c-0006",
          "title": "Projeto piloto",
          "state": "open",
          "stage": "negociação",
          "value": {
            "amount": "18250.00",
            "currency": "BRL"
          },
          "expected_close": "2027-07-15",
          "owner_id": "u-0003",
          "updated_ms": 1794984507780
        }
      ],
      "activity_count": 1,
      "last_activity": {
        "id": "a-0003",
        "kind": "email",
        "subject": "Retorno sobre proposta"
      },
      "links": {
        "self": "/api/v1/contacts/c-0006",
        "deals": "/api/v1/contacts/c-0006/deals",
        "export": "/api/v1/contacts/c-0006/export"
      }
    }
    "#);
}

#[tokio::test]
async fn a_contact_with_deals_is_told_at_length() {
    let contact = get(&crm(), "/api/v1/contacts/c-0006").await;
    let length = contact.to_string().len();
    assert!((1_500..3_500).contains(&length) && contact["deals"].as_array().unwrap().len() > 1, "{length}");
}

#[rstest]
#[case::as_kept("%2B5512987654002", &["c-0002"])]
#[case::plus_not_encoded("+5512987654002", &["c-0002"])]
#[case::formatted("(12)%2098765-4002", &["c-0002"])]
#[case::trunk_zero("012987654002", &["c-0002"])]
#[case::unknown("%2B5511987650000", &[])]
#[tokio::test]
async fn a_number_in_any_format_finds_its_contacts(#[case] phone: &str, #[case] expected: &[&str]) {
    assert_eq!(ids(&get(&crm(), &format!("/api/v1/contacts?phone={phone}")).await), expected);
}

#[tokio::test]
async fn a_shared_number_finds_both_and_the_limit_holds() {
    let crm = crm();
    let shared =
        get(&crm, "/api/v1/contacts/c-0030").await["phones"].as_array().unwrap().last().unwrap().clone();
    let shared = shared.as_str().unwrap().replace('+', "%2B");
    assert_eq!(ids(&get(&crm, &format!("/api/v1/contacts?phone={shared}")).await), ["c-0009", "c-0030"]);
    let first = get(&crm, &format!("/api/v1/contacts?phone={shared}&limit=1")).await;
    assert_eq!((ids(&first), &first["total"], &first["next"]), (vec!["c-0009"], &json!(2), &json!("c-0009")));
}

#[rstest]
#[case::accents_left_out("joao", &["c-0002"])]
#[case::two_words_in_any_order("ferraz jo%C3%A3o", &["c-0002"])]
#[case::document("123.456.701", &["c-0001"])]
#[case::mail("luiza.prado@example.invalid", &["c-0003"])]
#[case::nobody("zzz", &[])]
#[tokio::test]
async fn words_find_contacts(#[case] words: &str, #[case] expected: &[&str]) {
    let words = words.replace(' ', "%20");
    assert_eq!(ids(&get(&crm(), &format!("/api/v1/contacts?q={words}")).await), expected);
}

#[tokio::test]
async fn pages_give_every_contact_once_even_when_one_is_deleted_meanwhile() {
    let crm = crm();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&crm, &format!("/api/v1/contacts?limit=15{cursor}")).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        // The last of the page goes away; the cursor that names it must still work.
        call(&crm, Method::DELETE, &format!("/api/v1/contacts/{}", seen.last().unwrap()), None).await;
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let expected: Vec<String> = (1..=40).map(|number| format!("c-{number:04}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_contact_is_created_changed_and_deleted() {
    let crm = crm();
    let draft = json!({"name": "Zilda Inventada", "phones": ["(11) 98765-4999"], "city": "Santos", "owner_id": "u-0001"});
    let (status, created) = call(&crm, Method::POST, "/api/v1/contacts", Some(draft)).await;
    assert_eq!((status, created["id"].as_str()), (StatusCode::CREATED, Some("c-0041")));
    assert_eq!(created["owner"], json!({"id": "u-0001", "name": "Ana Souza"}));
    assert_eq!(created["url"], "http://127.0.0.1:8099/contacts/c-0041");
    assert_eq!(ids(&get(&crm, "/api/v1/contacts?phone=%2B5511987654999").await), ["c-0041"]);

    let change = json!({"city": null, "emails": ["zilda@example.invalid"]});
    let (status, changed) = call(&crm, Method::PATCH, "/api/v1/contacts/c-0041", Some(change)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&changed["city"], &changed["phones"]), (&Value::Null, &json!(["(11) 98765-4999"])));
    assert!(changed["updated_ms"].as_u64() > created["updated_ms"].as_u64());

    let (status, _) = call(&crm, Method::DELETE, "/api/v1/contacts/c-0041", None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = call(&crm, Method::GET, "/api/v1/contacts/c-0041", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, next) =
        call(&crm, Method::POST, "/api/v1/contacts", Some(json!({"name": "Outra Inventada"}))).await;
    assert_eq!(next["id"], "c-0042", "an identifier is never used again");
}

#[tokio::test]
async fn deleting_a_contact_leaves_its_deals_without_the_person() {
    let crm = crm();
    let deals = |account: &Value| account["counts"]["deals"].clone();
    let before = deals(&get(&crm, "/api/v1/account").await);
    let export = get(&crm, "/api/v1/contacts/c-0006/export").await;
    assert!(!export["contact"]["deals"].as_array().unwrap().is_empty());
    assert!(!export["activities"].as_array().unwrap().is_empty());
    let activity = export["activities"][0]["id"].as_str().unwrap();

    call(&crm, Method::DELETE, "/api/v1/contacts/c-0006", None).await;
    assert_eq!(deals(&get(&crm, "/api/v1/account").await), before);
    for path in ["/api/v1/contacts/c-0006/export", "/api/v1/contacts/c-0006/deals"] {
        assert_eq!(call(&crm, Method::GET, path, None).await.0, StatusCode::NOT_FOUND);
    }
    let (status, _) =
        call(&crm, Method::PATCH, &format!("/api/v1/activities/{activity}"), Some(json!({}))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn activities_are_listed_in_pages_without_a_gap() {
    let crm = crm();
    for number in 0..3 {
        let draft = json!({"external_id": format!("x-{number}"), "kind": "call", "started_ms": number});
        assert_eq!(call(&crm, Method::POST, "/api/v1/activities", Some(draft)).await.0, StatusCode::CREATED);
    }
    let whole = get(&crm, "/api/v1/activities?limit=100").await;
    assert_eq!(whole["next"], Value::Null);
    let mut seen = Vec::new();
    let mut path = "/api/v1/activities?limit=2".to_owned();
    loop {
        let page = get(&crm, &path).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/activities?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids(&whole));
    assert_eq!(whole["total"].as_u64(), u64::try_from(seen.len()).ok());
    assert_eq!(call(&crm, Method::GET, "/api/v1/activities?limit=0", None).await.0, 422);
}

#[tokio::test]
async fn deals_are_told_by_state() {
    let crm = crm();
    let open = get(&crm, "/api/v1/contacts/c-0006/deals?state=open").await;
    assert!(open["items"].as_array().unwrap().iter().all(|deal| deal["state"] == "open"));
    let all = get(&crm, "/api/v1/contacts/c-0006/deals").await;
    assert!(open["total"].as_u64().unwrap() > 0 && open["total"].as_u64() < all["total"].as_u64());
}

#[tokio::test]
async fn an_activity_sent_twice_is_one_activity() {
    let crm = crm();
    let draft = |subject: &str| {
        json!({"external_id": "call-1", "contact_id": "c-0002", "kind": "call", "subject": subject,
               "direction": "inbound", "started_ms": 1_794_700_000_000_u64, "user_id": "u-0001"})
    };
    let (first_status, first) = call(&crm, Method::POST, "/api/v1/activities", Some(draft("Ligação"))).await;
    let (second_status, second) = call(&crm, Method::POST, "/api/v1/activities", Some(draft("Outra"))).await;
    assert_eq!((first_status, second_status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(first, second);

    let path = format!("/api/v1/activities/{}", first["id"].as_str().unwrap());
    let change = json!({"duration_s": 42, "outcome": "answered"});
    let (status, changed) = call(&crm, Method::PATCH, &path, Some(change)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&changed["duration_s"], &changed["subject"]), (&json!(42), &json!("Ligação")));
    let export = get(&crm, "/api/v1/contacts/c-0002/export").await;
    assert!(export["activities"].as_array().unwrap().contains(&changed));
}

/// What a program needs that adds to what people write: to read it, to be refused where it was changed meanwhile, and
/// to be able to say the same thing twice.
#[tokio::test]
async fn a_change_overwrites_nobody_and_is_made_once() {
    let crm = crm();
    let draft = json!({"external_id": "call-3", "kind": "call", "started_ms": 1, "body": "Notes: price"});
    let (_, written) = call(&crm, Method::POST, "/api/v1/activities", Some(draft)).await;
    let path = format!("/api/v1/activities/{}", written["id"].as_str().unwrap());
    assert_eq!(get(&crm, &path).await, written);
    let change = |seen: &Value, body: &str| json!({"body": body, "amendment_id": "call-3.1", "if_updated_ms": seen["updated_ms"]});

    let (_, edited) =
        call(&crm, Method::PATCH, &path, Some(json!({"body": "Notes: price, and a spare part"}))).await;
    let (status, refusal) = call(&crm, Method::PATCH, &path, Some(change(&written, "too late"))).await;
    assert_eq!((status, &refusal["error"]["code"]), (StatusCode::CONFLICT, &json!("changed")));
    assert_eq!(get(&crm, &path).await, edited, "what was refused changed nothing");

    let (status, changed) = call(&crm, Method::PATCH, &path, Some(change(&edited, "both"))).await;
    assert_eq!((status, &changed["body"]), (StatusCode::OK, &json!("both")));
    // Once more, by one that heard no answer: with what it saw then, and with what it reads now.
    for seen in [&edited, &changed] {
        let (status, again) = call(&crm, Method::PATCH, &path, Some(change(seen, "both, both"))).await;
        assert_eq!((status, &again), (StatusCode::OK, &changed));
    }
    assert_eq!(call(&crm, Method::GET, "/api/v1/activities/a-9999", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_call_from_nobody_known_is_recorded_and_given_to_a_contact_later() {
    let crm = crm();
    let draft = json!({"external_id": "call-2", "kind": "call", "started_ms": 1, "phone": "+5511987650000"});
    let (status, activity) = call(&crm, Method::POST, "/api/v1/activities", Some(draft)).await;
    assert_eq!((status, &activity["contact_id"]), (StatusCode::CREATED, &Value::Null));
    let path = format!("/api/v1/activities/{}", activity["id"].as_str().unwrap());
    let (_, activity) = call(&crm, Method::PATCH, &path, Some(json!({"contact_id": "c-0001"}))).await;
    assert_eq!(activity["contact_id"], "c-0001");
}

#[rstest]
#[case::no_name(Method::POST, "/api/v1/contacts", json!({"city": "Santos"}), 422)]
#[case::empty_name(Method::POST, "/api/v1/contacts", json!({"name": " "}), 422)]
#[case::unknown_field(Method::POST, "/api/v1/contacts", json!({"name": "A", "nome": "B"}), 422)]
#[case::wrong_type(Method::POST, "/api/v1/contacts", json!({"name": 7}), 422)]
#[case::extension_as_number(Method::POST, "/api/v1/contacts", json!({"name": "A", "phones": ["7002"]}), 422)]
#[case::no_address(Method::POST, "/api/v1/contacts", json!({"name": "A", "emails": ["a"]}), 422)]
#[case::unknown_owner(Method::POST, "/api/v1/contacts", json!({"name": "A", "owner_id": "u-0009"}), 422)]
#[case::document_of_another(Method::POST, "/api/v1/contacts", json!({"name": "A", "document": "12345670170"}), 409)]
#[case::document_of_another_in_a_change(Method::PATCH, "/api/v1/contacts/c-0002", json!({"document": "123.456.701-70"}), 409)]
#[case::change_of_nobody(Method::PATCH, "/api/v1/contacts/c-9999", json!({}), 404)]
#[case::not_an_identifier(Method::GET, "/api/v1/contacts/seven", Value::Null, 404)]
#[case::unknown_address(Method::GET, "/api/v1/contact", Value::Null, 404)]
#[case::method(Method::PUT, "/api/v1/contacts/c-0001", Value::Null, 405)]
#[case::limit_too_high(Method::GET, "/api/v1/contacts?limit=101", Value::Null, 422)]
#[case::limit_zero(Method::GET, "/api/v1/contacts?limit=0", Value::Null, 422)]
#[case::limit_a_word(Method::GET, "/api/v1/contacts?limit=all", Value::Null, 422)]
#[case::cursor_of_elsewhere(Method::GET, "/api/v1/contacts?cursor=20", Value::Null, 422)]
#[case::unknown_parameter(Method::GET, "/api/v1/contacts?telefone=1", Value::Null, 422)]
#[case::extension_asked_for(Method::GET, "/api/v1/contacts?phone=7002", Value::Null, 422)]
#[case::unknown_state(Method::GET, "/api/v1/contacts/c-0001/deals?state=lukewarm", Value::Null, 422)]
#[case::activity_without_external_id(Method::POST, "/api/v1/activities", json!({"kind": "call", "started_ms": 1}), 422)]
#[case::activity_without_kind(Method::POST, "/api/v1/activities", json!({"external_id": "x", "started_ms": 1}), 422)]
#[case::activity_of_nobody(Method::POST, "/api/v1/activities", json!({"external_id": "x", "kind": "call", "started_ms": 1, "contact_id": "c-9999"}), 422)]
#[case::activity_that_changes_nothing(Method::POST, "/api/v1/activities", json!({"external_id": "x", "kind": "call", "started_ms": 1, "if_updated_ms": 1}), 422)]
#[case::activity_renamed(Method::PATCH, "/api/v1/activities/a-0001", json!({"external_id": "x"}), 422)]
#[case::body_too_long(Method::POST, "/api/v1/contacts", json!({"name": "x".repeat(70_000)}), 413)]
#[tokio::test]
async fn a_mistake_is_answered_with_its_status_and_a_code(
    #[case] method: Method,
    #[case] path: &str,
    #[case] body: Value,
    #[case] expected: u16,
) {
    let (status, answer) = call(&crm(), method, path, (!body.is_null()).then_some(body)).await;
    assert_eq!(status, expected, "{answer}");
    assert!(answer["error"]["code"].is_string() && answer["error"]["message"].is_string(), "{answer}");
}

#[tokio::test]
async fn a_refusal_names_the_place_and_repeats_no_value() {
    let body = Body::from("{\"name\": \"Zilda\",\n \"phones\": \"11 98765-4999\"}");
    let request =
        Request::post("/api/v1/contacts").header("authorization", format!("Bearer {KEY}")).body(body);
    let (_, answer) = answer(&crm(), request.unwrap()).await;
    insta::assert_json_snapshot!(answer, @r#"
    {
      "error": {
        "code": "invalid",
        "message": "the body has an unknown, missing or wrongly typed field; check line 2, column 26"
      }
    }
    "#);
}

#[tokio::test]
async fn users_and_account_are_told() {
    let crm = crm();
    let users = get(&crm, "/api/v1/users").await;
    assert_eq!((ids(&users).len(), &users["items"][0]["email"]), (4, &json!("ana.souza@example.invalid")));
    insta::assert_json_snapshot!(get(&crm, "/api/v1/account").await, @r#"
    {
      "account": {
        "id": "practice-0001",
        "name": "Empresa de Prática (fictícia)",
        "plan": "practice",
        "locale": "pt-BR",
        "time_zone": "America/Sao_Paulo",
        "currency": "BRL"
      },
      "counts": {
        "contacts": 40,
        "users": 4,
        "deals": 41
      },
      "url": "http://127.0.0.1:8099"
    }
    "#);
}

async fn page(crm: &Router, path: &str, host: &str) -> (StatusCode, String) {
    let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
    let (status, body) = answer(crm, request).await;
    (status, body.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_contacts_url_opens_a_page_that_says_all_is_invented() {
    let crm = crm();
    let url = get(&crm, "/api/v1/contacts/c-0002").await["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://127.0.0.1:8099").unwrap();
    for (path, text) in [(path, "+5512987654002"), ("/", "João Batista Ferraz")] {
        let (status, html) = page(&crm, path, "127.0.0.1:8099").await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            html.contains("Practice CRM: every person here is invented") && html.contains(text),
            "{html}"
        );
    }
}

#[tokio::test]
async fn a_page_shows_markup_in_a_name_as_text() {
    let crm = crm();
    call(
        &crm,
        Method::PATCH,
        "/api/v1/contacts/c-0002",
        Some(json!({"name": "<script>alert('1')</script>"})),
    )
    .await;
    for path in ["/", "/contacts/c-0002"] {
        let (_, html) = page(&crm, path, "localhost:8099").await;
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;alert(&#39;1&#39;)"));
    }
}

#[rstest]
#[case::another_name("/contacts/c-0002", "crm.example", StatusCode::MISDIRECTED_REQUEST)]
#[case::nobody("/contacts/c-9999", "127.0.0.1", StatusCode::NOT_FOUND)]
#[case::nowhere("/nowhere", "127.0.0.1", StatusCode::NOT_FOUND)]
#[tokio::test]
async fn a_page_that_is_not_for_you_shows_no_customer(
    #[case] path: &str,
    #[case] host: &str,
    #[case] expected: StatusCode,
) {
    let (status, html) = page(&crm(), path, host).await;
    assert_eq!(status, expected);
    assert!(!html.contains("Ferraz"));
}
