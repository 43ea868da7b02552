// SPDX-License-Identifier: Apache-2.0

/// Checks the details that errors and categories declare: that they say what they have to, and that their texts are
/// templates. What the templates name is checked for each error, by `ErrorCheck`.
struct DetailCheck {
  let schema: Schema

  func run(_ diagnostics: inout Diagnostics) {
    for message in schema.generatedFiles.flatMap(\.allMessages) {
      guard let details = (message.category ?? message.error?.declared)?.details, !details.isEmpty else { continue }
      for text in details.texts where text.isRequired && text.isEmpty {
        diagnostics.error(text.place, "\(text.option) of \(message.name) is not set; write it, or leave the detail out")
      }
      for text in details.texts {
        if let mistake = Template.mistake(in: text.source) { diagnostics.error(text.place, mistake) }
      }
      checkLinks(details.help, &diagnostics)
      checkLocales(details.localized, &diagnostics)
    }
  }

  private func checkLinks(_ links: [DetailTemplates.Link], _ diagnostics: inout Diagnostics) {
    for link in links where !link.url.isEmpty {
      let isAbsolute = ["https://", "http://"].contains { link.url.source.lowercased().hasPrefix($0) }
      let isWord = !link.url.source.contains(where: \.isWhitespace)
      guard !isAbsolute || !isWord else { continue }
      diagnostics.error(
        link.url.place,
        "help.url \"\(link.url.source)\" is no link; write one that begins with https:// and has no spaces")
    }
  }

  private func checkLocales(_ localized: [DetailTemplates.Localized], _ diagnostics: inout Diagnostics) {
    var seen: Set<String> = []
    for text in localized {
      if !LanguageTag.isWellFormed(text.locale) {
        diagnostics.error(
          text.place,
          "locale \"\(text.locale)\" is no language tag (BCP 47); write one such as \"de\", \"pt-BR\" or \"zh-Hant-TW\""
        )
      } else if !seen.insert(text.locale.lowercased()).inserted {
        diagnostics.error(
          text.place, "locale \"\(text.locale)\" has a message already; leave one of them")
      }
    }
  }
}

/// Language tags (BCP 47, RFC 5646).
enum LanguageTag {
  /// Whether a tag is well-formed (RFC 5646 §2.1): language, then script, region, variants and extensions, as far as there
  /// are any. Grandfathered and private tags, which no browser asks for, are not.
  static func isWellFormed(_ tag: String) -> Bool {
    let language = #/[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8}/#
    // Script, region, variants, extensions, and what people have agreed on among themselves.
    let rest =
      #/
      (?: - [A-Za-z]{4} )?
      (?: - (?: [A-Za-z]{2} | [0-9]{3} ) )?
      (?: - (?: [A-Za-z0-9]{5,8} | [0-9][A-Za-z0-9]{3} ) )*
      (?: - [0-9A-WY-Za-wy-z] (?: - [A-Za-z0-9]{2,8} )+ )*
      (?: - [xX] (?: - [A-Za-z0-9]{1,8} )+ )?
      /#
    guard tag.utf8.count <= 63, tag.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
    // The longest language first: "zh-cmn" has an extended one, "de-Latn" has not.
    var end = tag.endIndex
    while true {
      let head = tag[..<end]
      if head.wholeMatch(of: language) != nil, tag[end...].wholeMatch(of: rest) != nil { return true }
      guard let dash = head.lastIndex(of: "-") else { return false }
      end = dash
    }
  }
}
