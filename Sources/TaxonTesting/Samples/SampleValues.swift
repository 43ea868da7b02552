// SPDX-License-Identifier: Apache-2.0

/// Values for fields of which no more than the name is known.
enum SampleValues {
  /// By whole names, and by what names end in after an underscore; the first that fits counts.
  private static let texts: [(name: String, values: [String])] = [
    ("email", ["ada@example.com", "bob@example.com"]), ("phone", ["+1 202 555 0100", "+1 202 555 0101"]),
    ("ip", ["192.0.2.1", "192.0.2.2"]), ("address", ["192.0.2.1:443", "192.0.2.2:443"]),
    ("host", ["a.example.com", "b.example.com"]), ("hostname", ["a.example.com", "b.example.com"]),
    ("endpoint", ["dns:///a.example.com:443", "dns:///b.example.com:443"]),
    ("url", ["https://example.com/a", "https://example.com/b"]),
    ("uri", ["https://example.com/a", "https://example.com/b"]),
    ("link", ["https://example.com/a", "https://example.com/b"]), ("domain", ["example.com", "example.org"]),
    ("path", ["name", "address.city"]), ("field", ["name", "address.city"]),
    ("description", ["It must not be empty", "It must be 1 to 100"]),
    ("reason", ["it is not valid", "it has expired"]),
    ("message", ["It is not possible", "It is not there"]), ("detail", ["it is not possible", "it is not there"]),
    ("error", ["connection refused", "timed out"]), ("cause", ["connection refused", "timed out"]),
    ("operation", ["read", "write"]), ("action", ["read", "write"]), ("method", ["GET", "POST"]),
    ("verb", ["GET", "POST"]),
    ("permission", ["read", "write"]), ("role", ["reader", "editor"]), ("scope", ["read", "write"]),
    ("user", ["ada", "bob"]), ("username", ["ada", "bob"]), ("principal", ["ada", "bob"]), ("owner", ["ada", "bob"]),
    ("subject", ["ada", "bob"]), ("author", ["ada", "bob"]), ("reader", ["Ada", "Bob"]),
    ("title", ["Emma", "Persuasion"]), ("name", ["sample", "other"]), ("label", ["sample", "other"]),
    ("key", ["sample", "other"]), ("value", ["sample", "other"]), ("tag", ["sample", "other"]),
    ("resource", ["tasks", "files"]), ("type", ["sample", "other"]), ("kind", ["sample", "other"]),
    ("service", ["search", "billing"]), ("provider", ["search", "billing"]), ("collection", ["tasks", "files"]),
    ("table", ["tasks", "files"]), ("queue", ["tasks", "files"]), ("region", ["eu-central-1", "us-east-1"]),
    ("currency", ["EUR", "USD"]), ("country", ["DE", "FR"]), ("language", ["en", "de"]),
    ("locale", ["en-US", "de-DE"]),
    ("version", ["1.2.3", "2.0.0"]), ("hash", ["5f2b51ca2fdc5baa", "0d1b08c34858921b"]),
    ("token", ["sample-token", "other-token"]), ("pattern", ["email", "phone"]), ("capability", ["vision", "speech"]),
    ("status", ["active", "closed"]), ("state", ["active", "closed"]), ("date", ["2026-01-01", "2026-01-02"]),
    ("time", ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]), ("code", ["SAMPLE", "OTHER"]),
    ("id", ["42", "43"]), ("uuid", ["00000000-0000-4000-8000-000000000042", "00000000-0000-4000-8000-000000000043"]),
  ]

  private static let numbers: [(name: String, value: Int64)] = [
    ("status_code", 503), ("http_status", 503), ("port", 443), ("timeout", 30), ("seconds", 30), ("window", 60),
    ("interval", 60), ("duration", 30), ("ms", 1500), ("days", 3), ("hours", 3), ("minutes", 15), ("limit", 100),
    ("maximum", 100), ("max", 100), ("quota", 100), ("minimum", 1), ("min", 1), ("capacity", 2), ("attempts", 3),
    ("attempt", 3),
    ("retries", 3), ("count", 2), ("size", 4096), ("bytes", 4096), ("length", 4096), ("year", 2026), ("percent", 50),
    ("percentage", 50), ("priority", 5), ("line", 1), ("column", 1), ("index", 0), ("offset", 0),
  ]

  /// A text for a field, or for one element of it.
  static func text(_ name: String, _ index: Int) -> String {
    if name.hasSuffix("_id") { return "\(name.dropLast(3).split(separator: "_").last ?? "id")-\(42 + index)" }
    if let values = texts.first(where: { fits(name, $0.name) })?.values { return values[index % values.count] }
    return (index == 0 ? "sample " : "other ") + name.split(separator: "_").joined(separator: " ")
  }

  /// A number for a field; not negative.
  static func number(_ name: String) -> Int64 { numbers.first { fits(name, $0.name) }?.value ?? 42 }

  private static func fits(_ name: String, _ known: String) -> Bool { name == known || name.hasSuffix("_" + known) }
}
