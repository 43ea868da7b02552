// SPDX-License-Identifier: Apache-2.0

/// Checks what concerns a taxonomy as a whole: its domain, its codes, and that every error belongs to one.
struct TaxonomyCheck {
  let schema: Schema
  /// What is wrong with the name of a root type and how to mend it; nil when all is well.
  let mistakeInName: (String) -> String?

  func run(_ diagnostics: inout Diagnostics) {
    for file in schema.generatedFiles {
      if let taxonomy = file.taxonomy {
        checkDomain(taxonomy, &diagnostics)
        for code in taxonomy.reservedCodes where !ErrorCode.isWellFormed(code) {
          diagnostics.error(
            taxonomy.place.field(3, naming: "\"\(code)\""), "reserved code \"\(code)\" \(ErrorCode.mend(code))")
        }
      } else {
        checkNothingOutside(file, &diagnostics)
      }
      checkNesting(file, &diagnostics)
    }
    checkCodes(&diagnostics)
  }

  private func checkDomain(_ taxonomy: Taxonomy, _ diagnostics: inout Diagnostics) {
    let domain = taxonomy.domain
    if domain.isEmpty {
      diagnostics.error(
        taxonomy.place.whole, "the taxonomy names no domain; add domain: \"…\" with a DNS name that you own")
    } else if !Self.isDomain(domain) {
      diagnostics.error(
        taxonomy.place.field(1, naming: "\"\(domain)\""),
        "domain \"\(domain)\" is not a DNS name; write small letters, digits and hyphens in labels with dots between them, "
          + "such as \"example.com\"")
    }
    if let name = taxonomy.name, let mistake = mistakeInName(name) {
      diagnostics.error(taxonomy.namePlace, "taxonomy name \"\(name)\" \(mistake)")
    }
  }

  private static func isDomain(_ text: String) -> Bool {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    return text.utf8.count <= 253 && labels.count > 1
      && labels.allSatisfy { label in
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
          && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
      }
  }

  /// Reports the outermost categories and errors of a file without a taxonomy.
  private func checkNothingOutside(_ file: SchemaFile, _ diagnostics: inout Diagnostics) {
    for message in file.allMessages where message.categories.isEmpty {
      let kind = message.category != nil ? "category" : message.error != nil ? "error" : nil
      guard let kind else { continue }
      diagnostics.error(
        message.place,
        "\(kind) \(message.name) belongs to no taxonomy; add option (taxon.taxonomy) = { domain: \"…\" } to the file")
    }
  }

  private func checkNesting(_ file: SchemaFile, _ diagnostics: inout Diagnostics) {
    for message in file.allMessages where message.category != nil || message.error != nil {
      if message.category != nil && message.error != nil {
        diagnostics.error(
          message.place,
          "message \(message.name) is both a category and an error; take one of the options away, "
            + "or put the error into the category as a message of its own")
      }
      var around = message.parent
      while let outer = around, outer.error == nil || outer.category != nil { around = outer.parent }
      if let outer = around {
        let kind = message.error != nil ? "error" : "category"
        diagnostics.error(
          message.place, "\(kind) \(message.name) stands inside error \(outer.name); move it out, beside \(outer.name)")
      }
    }
  }

  // MARK: Codes

  private func checkCodes(_ diagnostics: inout Diagnostics) {
    var reserved: [Identity: Place] = [:]
    for file in schema.files {
      guard let taxonomy = file.taxonomy else { continue }
      for code in taxonomy.reservedCodes {
        reserved[Identity(domain: taxonomy.domain, code: code)] = taxonomy.place.field(3, naming: "\"\(code)\"")
      }
    }
    var first: [Identity: SchemaMessage] = [:]
    // What is imported has its codes already: the file to generate, which can still be changed, is the one to mend.
    for file in schema.files.filter({ !$0.isGenerated }) + schema.generatedFiles {
      for message in file.errors {
        guard let taxonomy = file.taxonomy, let code = message.error?.code else { continue }
        let identity = Identity(domain: taxonomy.domain, code: code)
        if file.isGenerated { check(message, identity, first[identity], reserved[identity], &diagnostics) }
        if first[identity] == nil { first[identity] = message }
      }
    }
    checkImported(&diagnostics)
  }

  /// Reports two imported files that use one code: each is right by itself, and neither's own run sees the other.
  private func checkImported(_ diagnostics: inout Diagnostics) {
    var first: [Identity: SchemaMessage] = [:]
    for file in schema.files where !file.isGenerated {
      for message in file.errors {
        guard let taxonomy = file.taxonomy, let code = message.error?.code else { continue }
        let identity = Identity(domain: taxonomy.domain, code: code)
        guard let other = first[identity], other.file !== file else {
          first[identity] = first[identity] ?? message
          continue
        }
        let place = schema.generatedFiles.first { $0.dependencies.contains(file.path) }?.place(ofImport: file.path)
        diagnostics.error(
          place ?? message.codePlace,
          "\(file.path) and \(other.file.path) both use code \"\(code)\" of \(taxonomy.domain): \(message.fullName) at "
            + "\(diagnostics.describe(message.codePlace)), \(other.fullName) at "
            + "\(diagnostics.describe(other.codePlace)); one of them has to have another code")
      }
    }
  }

  private func check(
    _ message: SchemaMessage, _ identity: Identity, _ first: SchemaMessage?, _ reserved: Place?,
    _ diagnostics: inout Diagnostics
  ) {
    let code = identity.code
    let origin = message.error?.isCodeDeclared == true ? "code" : "code, made from the name \(message.name),"
    if !ErrorCode.isWellFormed(code) {
      diagnostics.error(message.codePlace, "\(origin) \"\(code)\" \(ErrorCode.mend(code))")
    }
    if let reserved {
      diagnostics.error(
        message.codePlace,
        "\(origin) \"\(code)\" is reserved at \(diagnostics.describe(reserved)), it was used before; choose another code"
      )
    }
    if let first {
      diagnostics.error(
        message.codePlace,
        "\(origin) \"\(code)\" is taken in \(identity.domain) by \(first.fullName) at "
          + "\(diagnostics.describe(first.codePlace)); choose another code")
    }
  }

  private struct Identity: Hashable {
    var domain: String
    var code: String
  }
}

extension SchemaMessage {
  /// Where an error's code is written, or where its name is when the code is made from it.
  fileprivate var codePlace: Place {
    guard let error, error.isCodeDeclared else { return place }
    return error.place.field(ErrorFacts.codeNumber, naming: "\"\(error.code)\"")
  }
}

/// The form of codes (AIP-193, ErrorInfo.reason).
enum ErrorCode {
  static func isWellFormed(_ code: String) -> Bool {
    let letters = Array(code.utf8)
    guard letters.count <= 63, let first = letters.first, let last = letters.last else { return false }
    return isCapital(first) && last != underscore
      && letters.allSatisfy { isCapital($0) || $0 == underscore || (0x30...0x39).contains($0) }
  }

  /// What is wrong with the code and how to mend it.
  static func mend(_ code: String) -> String {
    if code.utf8.count > 63 { return "is longer than 63 characters (AIP-193); shorten it" }
    let better = Words(code).upperSnake
    let mend = isWellFormed(better) ? "write \"\(better)\"" : "begin with a capital and use capitals, digits and _"
    return "is not in UPPER_SNAKE_CASE (AIP-193); \(mend)"
  }

  private static let underscore = UInt8(ascii: "_")
  private static func isCapital(_ letter: UInt8) -> Bool { (0x41...0x5A).contains(letter) }
}
