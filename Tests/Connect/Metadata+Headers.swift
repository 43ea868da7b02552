// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon

extension Metadata {
  /// What the suite wants sent. Values of names that end in `-bin` are base64 there.
  init(_ headers: [SuiteHeader]) {
    self.init()
    for header in headers {
      for value in header.value {
        if let bytes = Data(unpaddedBase64: value), add(header.name, bytes: Array(bytes)) { continue }
        add(header.name, value)
      }
    }
  }

  /// As the suite wants to be told, each name once.
  var headers: [SuiteHeader] {
    var headers: [SuiteHeader] = []
    for entry in entries {
      let value =
        switch entry.value {
        case .text(let text): text
        case .bytes(let bytes): Data(bytes).base64EncodedString().replacing("=", with: "")
        }
      if let index = headers.firstIndex(where: { $0.name == entry.name }) {
        headers[index].value.append(value)
      } else {
        headers.append(SuiteHeader(name: entry.name, value: [value]))
      }
    }
    return headers
  }
}

extension Data {
  fileprivate init?(unpaddedBase64 text: String) {
    self.init(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4))
  }
}
