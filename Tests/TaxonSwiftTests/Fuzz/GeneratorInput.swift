// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import TaxonSwift

/// Gives the generator any bytes for a request of protoc: it answers, or says that they are none.
func fuzzGenerator(_ input: [UInt8]) {
  guard let answer = try? ProtocPlugin(TargetLanguages([("swift", GeneratorSettings.self)])).answer(input) else {
    return
  }
  precondition(!answer.isEmpty, "an answer says at least what the plugin supports")
}
