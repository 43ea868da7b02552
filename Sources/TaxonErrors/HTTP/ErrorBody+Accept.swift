// SPDX-License-Identifier: Apache-2.0

extension ErrorBody.Form {
  /// The form that a request's `Accept` asks for (RFC 9110 §12.5.1).
  ///
  /// It is `.problem` where `application/problem+json` has a greater weight than `application/json`, or the same one and is named itself
  /// rather than by a wildcard; else `.standard`, which is also for requests that accept neither. Reads the field once, from its beginning
  /// to its end; elements that are no media ranges, and weights that are none, are passed over.
  ///
  /// - Parameter accept: The values of all `Accept` fields of the request with commas between them; nil when there are none.
  package init(accept: String?) {
    guard let accept else {
      self = .standard
      return
    }
    var ranges = AcceptHeader(accept)
    var standard = Weight()
    var problem = Weight()
    while let (type, weight) = ranges.next() {
      if type.elementsEqual("*/*".utf8) {
        standard.take(weight, specificity: 1)
        problem.take(weight, specificity: 1)
      } else if type.isEqual(to: "application/*") {
        standard.take(weight, specificity: 2)
        problem.take(weight, specificity: 2)
      } else if type.isEqual(to: "application/json") {
        standard.take(weight, specificity: 3)
      } else if type.isEqual(to: "application/problem+json") {
        problem.take(weight, specificity: 3)
      }
    }
    let isPreferred = problem.value > standard.value || problem.value == standard.value && problem.specificity == 3
    self = isPreferred && problem.value > 0 ? .problem : .standard
  }

  /// The weight of a type: that of the most specific range that it is in.
  private struct Weight {
    /// In thousandths.
    var value = 0
    var specificity = 0

    mutating func take(_ weight: Int, specificity: Int) {
      guard specificity >= self.specificity else { return }
      // Of two equal ranges the greater weight counts.
      value = specificity == self.specificity ? max(value, weight) : weight
      self.specificity = specificity
    }
  }
}
