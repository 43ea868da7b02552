// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors

/// The methods of a server, by path.
final class MethodTable: ServerRouter {
  private let methods: [String: any RegisteredMethod]
  private let reporter: CallReporter

  init(_ registry: ServiceRegistry) {
    methods = registry.methods
    reporter = registry.reporter
  }

  func method(_ path: String) -> (any ServerMethod)? { methods[path] }

  func failed(_ error: any TaxonomyError, status: WireStatus, path: String) {
    reporter.failed(error, status: status, path: path, isKnownPath: methods[path] != nil)
  }
}
