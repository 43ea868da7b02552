// SPDX-License-Identifier: Apache-2.0

/// The names of generated files.
///
/// TaxonPlugin has this file too, by a symbolic link: it tells SwiftPM which files the generator will write.
enum OutputNames {
  /// The name of each schema's file: octollm/v1/errors.proto gives octollm_v1_errors.pb.swift. Where two give the same name, or
  /// names that differ in case alone, the one whose path comes later in the order of the alphabet gets a number behind.
  static func names(of paths: some Sequence<String>) -> [String: String] {
    let paths = paths.sorted()
    let stems = paths.map { path in
      (path.hasSuffix(".proto") ? path.dropLast(6) : path[...]).split(separator: "/").joined(separator: "_")
    }
    let wanted = Set(stems.map { $0.lowercased() })
    var taken: Set<String> = []
    var names: [String: String] = [:]
    for (path, stem) in zip(paths, stems) {
      var name = stem
      var number = 2
      while taken.contains(name.lowercased()) || name != stem && wanted.contains(name.lowercased()) {
        name = "\(stem)_\(number)"
        number += 1
      }
      taken.insert(name.lowercased())
      names[path] = "\(name).pb.swift"
    }
    return names
  }
}
