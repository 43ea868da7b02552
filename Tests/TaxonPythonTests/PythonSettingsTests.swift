// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonPython
import TaxonSchema
import Testing

@Suite struct PythonSettingsTests {
  private let languages = TargetLanguages([("python", PythonSettings.self), ("other", PythonSettings.self)])

  @Test func theParameterNamesTheLanguageAndItsSettings() throws {
    let settings = try #require(
      try languages.language(parameter: "runtime=false,lang=python,source=/a%2Cb") as? PythonSettings)
    #expect(!settings.runtime && settings.sourceFolders == ["/a,b"])
    #expect(try languages.language(parameter: "") is PythonSettings)
  }

  @Test(arguments: [
    ("lang=go", "parameter lang=go is not a language; write lang=python or lang=other"),
    ("lang", "parameter lang= is not a language; write lang=python or lang=other"),
    ("runtime=maybe", "parameter runtime=maybe is neither true nor false"),
    ("runtime", "parameter \"runtime\" has no value; write runtime=…"),
    ("access=public", "\"access\" is not a parameter of lang=python; the parameters are lang, runtime and source"),
  ])
  func aMistakeInTheParameterSaysHowToMendIt(parameter: String, mistake: String) {
    #expect(throws: ParameterMistake(description: mistake)) { try languages.language(parameter: parameter) }
  }

  @Test func protocHearsOfMistakes() throws {
    let request = Google_Protobuf_Compiler_CodeGeneratorRequest(parameter: "lang=perl")
    let answer = try ProtocPlugin(languages).answer(request.encoded())
    let response = try Google_Protobuf_Compiler_CodeGeneratorResponse(decoding: answer)
    #expect(response.error == "parameter lang=perl is not a language; write lang=python or lang=other")
  }
}
