// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonTransport

/// The heads of a connection's requests. What is the same for all calls of a method is made once.
struct RequestHeads {
  private let scheme: String
  private let authority: String
  /// By the paths of methods.
  private var kept: [String: HeaderBlock] = [:]
  /// The one of them that the last call had.
  private var last: (path: String, head: HeaderBlock)?
  /// Paths may be made up as calls are made: what is kept for them is thrown away when there are so many.
  private static let limit = 256

  init(scheme: String, authority: String) {
    self.scheme = scheme
    self.authority = authority
  }

  /// For how many methods something is kept.
  var count: Int { kept.count }

  /// The headers of a request.
  mutating func head(path: String, timeout: Duration?, metadata: Metadata, compression: Compression?) -> HeaderBlock {
    let head = head(path)
    if timeout == nil, metadata.isEmpty, compression == nil { return head }
    var fields = GRPC.requestFields(timeout: timeout, compression: compression)
    if !metadata.isEmpty { fields += HeaderBlock.Field.fields(of: metadata) }
    return HeaderBlock(fields, after: head)
  }

  /// What the heads of all calls of a method begin with.
  private mutating func head(_ path: String) -> HeaderBlock {
    if let last, last.path == path { return last.head }
    let head: HeaderBlock
    if let known = kept[path] {
      head = known
    } else {
      head = HeaderBlock(
        [
          .init(":method", "POST"), .init(":scheme", scheme), .init(":path", path), .init(":authority", authority),
        ] + GRPC.requestFields)
      if kept.count >= Self.limit { kept.removeAll(keepingCapacity: true) }
      kept[path] = head
    }
    last = (path, head)
    return head
  }
}
