// SPDX-License-Identifier: Apache-2.0

extension Schema {
  /// By the path of each generated file, the imports through which it reaches the errors that its methods raise.
  func importsForErrors() -> [String: Set<String>] {
    let byPath = Dictionary(files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    var result: [String: Set<String>] = [:]
    for file in generatedFiles {
      for error in file.services.flatMap(\.methods).flatMap(\.errors) where error.file !== file {
        let direct = file.dependencies.filter { $0 == error.file.path }
        let leading = direct.isEmpty ? file.dependencies.filter { reaches(error.file, from: $0, byPath) } : direct
        result[file.path, default: []].formUnion(leading)
      }
    }
    return result
  }

  private func reaches(_ file: SchemaFile, from path: String, _ byPath: [String: SchemaFile]) -> Bool {
    var waiting = [path]
    var seen: Set<String> = []
    while let path = waiting.popLast() {
      if path == file.path { return true }
      if seen.insert(path).inserted { waiting += byPath[path]?.dependencies ?? [] }
    }
    return false
  }
}
