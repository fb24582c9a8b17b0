//! `/v1/tickets`.

use serde_json::{Value, json};

use super::Platform;
use super::api::ApiRequest;
use super::reply::ApiReply;

/// The fields that a change may set.
const CHANGEABLE: [&str; 6] = ["title", "description", "priority", "status", "assigned_to", "resolution"];

impl Platform {
    pub(super) fn tickets(&self, rest: &[&str], request: &ApiRequest<'_>) -> ApiReply {
        match (request.method, rest) {
            ("GET", []) => ApiReply::ok(Value::Array(self.model().tickets.values().cloned().collect())),
            ("GET", [id]) => match self.ticket(id) {
                Some(ticket) => ApiReply::ok(ticket),
                None => ApiReply::detail(404, "Ticket not found"),
            },
            ("POST", []) => self.add_ticket(&request.body),
            ("PUT" | "PATCH", [id]) => self.change_ticket(id, &request.body),
            _ => ApiReply::detail(404, "Not Found"),
        }
    }

    fn add_ticket(&self, body: &Value) -> ApiReply {
        let Some(title) = body["title"].as_str().filter(|title| !title.trim().is_empty()) else {
            return ApiReply::detail(422, "title: field required");
        };
        let mut model = self.model();
        let (id, number) = (model.mint("tic"), model.next_ticket());
        let ticket = json!({
            "id": id, "seq_id": number, "title": title, "description": body["description"],
            "status": "open", "priority": body["priority"], "created_by": body["created_by"],
            "created_at": self.0.clock.now().to_rfc3339(),
        });
        model.tickets.insert(id, ticket.clone());
        drop(model);
        self.emit_afterwards("ticket.created", ticket.clone());
        ApiReply::created(ticket)
    }

    fn change_ticket(&self, id: &str, body: &Value) -> ApiReply {
        let mut model = self.model();
        let Some(ticket) = model.tickets.get_mut(id) else {
            return ApiReply::detail(404, "Ticket not found");
        };
        for key in CHANGEABLE {
            if !body[key].is_null() {
                ticket[key] = body[key].clone();
            }
        }
        if let Some(note) = body["note"].as_str() {
            ticket["notes"] = json!([{"content": note}]);
        }
        ticket["updated_by"] = body["actor"]["name"].clone();
        ticket["updated_at"] = self.0.clock.now().to_rfc3339().into();
        let ticket = ticket.clone();
        drop(model);
        let kind = if ticket["status"] == "closed" { "ticket.closed" } else { "ticket.updated" };
        self.emit_afterwards(kind, ticket.clone());
        ApiReply::ok(ticket)
    }
}
