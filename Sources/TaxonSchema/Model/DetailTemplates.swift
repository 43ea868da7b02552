// SPDX-License-Identifier: Apache-2.0

/// The details that a schema gives an error, with templates for their texts: those of google/rpc/error_details.proto.
package struct DetailTemplates {
  /// A text of a detail.
  package struct Text {
    /// The template as written; empty when there is none.
    package var source: String
    /// The template; empty where `source` is none.
    package var template: Template
    /// Where it is written.
    var place: Place
    /// The option that has it, such as "resource.name".
    var option: String
    /// Whether the detail means nothing without it.
    var isRequired: Bool

    /// True when the schema leaves it out.
    package var isEmpty: Bool { source.isEmpty }
  }

  /// `google.rpc.ResourceInfo`.
  package struct Resource {
    package var type: Text
    package var name: Text
    package var owner: Text
    package var description: Text
  }

  /// `google.rpc.QuotaFailure.Violation`.
  package struct Quota {
    package var subject: Text
    package var description: Text
    package var apiService: Text
    package var quotaMetric: Text
    package var quotaID: Text
  }

  /// `google.rpc.PreconditionFailure.Violation`.
  package struct Precondition {
    package var type: Text
    package var subject: Text
    package var description: Text
  }

  /// `google.rpc.Help.Link`.
  package struct Link {
    package var description: Text
    package var url: Text
  }

  /// `google.rpc.LocalizedMessage`.
  package struct Localized {
    /// A language tag (BCP 47), as written.
    package var locale: String
    package var message: Text
    /// Where the tag is written.
    var place: Place
  }

  package var resource: Resource?
  package var quota: [Quota] = []
  package var preconditions: [Precondition] = []
  package var help: [Link] = []
  package var localized: [Localized] = []

  /// True when there are none.
  package var isEmpty: Bool {
    resource == nil && quota.isEmpty && preconditions.isEmpty && help.isEmpty && localized.isEmpty
  }

  /// Every text, in the order of the options.
  var texts: [Text] {
    var texts: [Text] = []
    if let resource { texts += [resource.type, resource.name, resource.owner, resource.description] }
    for quota in quota {
      texts += [quota.subject, quota.description, quota.apiService, quota.quotaMetric, quota.quotaID]
    }
    for precondition in preconditions {
      texts += [precondition.type, precondition.subject, precondition.description]
    }
    for link in help { texts += [link.description, link.url] }
    return texts + localized.map(\.message)
  }

  /// These details; of a kind of which there are none, those of `outer`.
  func inheriting(_ outer: DetailTemplates) -> DetailTemplates {
    var result = self
    result.resource = resource ?? outer.resource
    if quota.isEmpty { result.quota = outer.quota }
    if preconditions.isEmpty { result.preconditions = outer.preconditions }
    if help.isEmpty { result.help = outer.help }
    if localized.isEmpty { result.localized = outer.localized }
    return result
  }
}

extension DetailTemplates {
  /// The details in the options of an error or a category.
  init(
    resource: ResourceTemplate?, quota: [QuotaTemplate], preconditions: [PreconditionTemplate], help: [LinkTemplate],
    localized: [LocalizedTemplate], _ place: OptionPlace
  ) {
    func text(_ source: String, _ option: String, isRequired: Bool = false) -> Text {
      Text(
        source: source, template: (try? Template(source)) ?? Template(),
        place: source.isEmpty ? place.whole : place.whole.naming("\"\(source)\""), option: option,
        isRequired: isRequired)
    }
    self.resource = resource.map {
      Resource(
        type: text($0.type, "resource.type", isRequired: true), name: text($0.name, "resource.name", isRequired: true),
        owner: text($0.owner, "resource.owner"), description: text($0.description, "resource.description"))
    }
    self.quota = quota.map {
      Quota(
        subject: text($0.subject, "quota.subject", isRequired: true),
        description: text($0.description, "quota.description"), apiService: text($0.apiService, "quota.api_service"),
        quotaMetric: text($0.quotaMetric, "quota.quota_metric"), quotaID: text($0.quotaID, "quota.quota_id"))
    }
    self.preconditions = preconditions.map {
      Precondition(
        type: text($0.type, "precondition.type", isRequired: true),
        subject: text($0.subject, "precondition.subject", isRequired: true),
        description: text($0.description, "precondition.description"))
    }
    self.help = help.map {
      Link(description: text($0.description, "help.description"), url: text($0.url, "help.url", isRequired: true))
    }
    self.localized = localized.map {
      Localized(
        locale: $0.locale, message: text($0.message, "localized.message", isRequired: true),
        place: place.whole.naming("\"\($0.locale)\""))
    }
  }
}
