// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

extension ErrorUnion {
  /// The error that a failed call amounts to.
  ///
  /// Identity is (domain, code): one of the union's own errors where it is one, in its type; an error that only the
  /// registry knows, as `other`, from which `as(_:)` gives it in its type; else `other` with what ErrorTraits say, and
  /// for the rest with what the gRPC status means.
  public static func received(
    _ status: ReceivedStatus, registry: ErrorRegistry = .taxonErrors
  ) -> Received<Self> {
    var reading = StatusReading(status)
    if let type = declaredType(reading, registry), let error = reading.typed(type) {
      let union = Self(error) ?? other(RPCError(error))
      return Received(error: union, notes: reading.notes)
    }
    let error = RPCError(reading.facts, context: reading.context)
    return Received(error: other(error), notes: reading.notes)
  }

  private static func declaredType(
    _ reading: StatusReading, _ registry: ErrorRegistry
  ) -> (any DeclaredError.Type)? {
    if let identity = reading.identity {
      let member = members.first { member in
        let declaration = member.declaration
        return declaration.code == identity.code && declaration.domain == identity.domain
      }
      return member ?? registry[identity.domain, identity.code]
    }
    // Without ErrorInfo, the typed error says itself what it is.
    for detail in reading.details {
      let name = typeName(ofURL: detail.typeURL)
      if let type = members.first(where: { $0.descriptor.name == name }) ?? registry[typeURL: detail.typeURL] {
        return type
      }
    }
    return nil
  }
}

/// Something wrong with how a failure arrived. The error is usable all the same.
public enum WireNote: Hashable, Sendable {
  /// `grpc-status` and the code in the details are not the same; the former counts.
  case statusDisagrees(trailer: StatusCode, details: Int32)
  /// A part of the details is not a message of its type and was left out.
  case undecodable(type: String, reason: String)
  /// The error is known, but its fields did not arrive, so that it could not be given its type.
  case payloadMissing(ErrorIdentity)
}

extension WireNote: CustomStringConvertible {
  /// A line for a log.
  public var description: String {
    switch self {
    case .statusDisagrees(let trailer, let details):
      "grpc-status says \(trailer), the status in grpc-status-details-bin says \(StatusCode(wire: details)); the former counts"
    case .undecodable(let type, let reason): "a detail of type \(type) was left out: \(reason)"
    case .payloadMissing(let identity): "\(identity) arrived without its fields"
    }
  }
}
