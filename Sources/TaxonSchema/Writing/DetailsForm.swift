// SPDX-License-Identifier: Apache-2.0

/// The details of an error as JSON, with what it inherits; texts are templates.
struct DetailsForm: Encodable {
  var resource: [String: String]?
  var quota: [[String: String]]?
  var precondition: [[String: String]]?
  var help: [[String: String]]?
  /// Messages by locale.
  var localized: [String: String]?

  init(_ details: DetailTemplates) {
    func form(_ texts: [(String, DetailTemplates.Text)]) -> [String: String] {
      Dictionary(texts.filter { !$1.isEmpty }.map { ($0, $1.template.source) }, uniquingKeysWith: { first, _ in first })
    }
    resource = details.resource.map {
      form([("type", $0.type), ("name", $0.name), ("owner", $0.owner), ("description", $0.description)])
    }
    let quotas = details.quota.map {
      form([
        ("subject", $0.subject), ("description", $0.description), ("apiService", $0.apiService),
        ("quotaMetric", $0.quotaMetric), ("quotaId", $0.quotaID),
      ])
    }
    quota = quotas.isEmpty ? nil : quotas
    let preconditions = details.preconditions.map {
      form([("type", $0.type), ("subject", $0.subject), ("description", $0.description)])
    }
    precondition = preconditions.isEmpty ? nil : preconditions
    let links = details.help.map { form([("description", $0.description), ("url", $0.url)]) }
    help = links.isEmpty ? nil : links
    let texts = details.localized.map { ($0.locale, $0.message.template.source) }
    localized = texts.isEmpty ? nil : Dictionary(texts, uniquingKeysWith: { first, _ in first })
  }
}
