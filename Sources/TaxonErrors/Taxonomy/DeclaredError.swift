// SPDX-License-Identifier: Apache-2.0
import Synchronization
import TaxonProtobuf

/// An error that a schema in hand declares: a message with its facts.
public protocol DeclaredError: TaxonomyError, Message {
  /// What the schema says of it.
  static var declaration: ErrorDeclaration { get }
  /// Its safe fields as text, by their names in the schema and in its order.
  var safeFields: [(name: String, text: String)] { get }
  /// Standard details that its schema derives from its fields.
  var derivedDetails: DerivedDetails { get }
  /// The message in other languages than English; a server sends the one that the caller asks for.
  var localizedMessages: [Google_Rpc_LocalizedMessage] { get }
  /// The error without its internal fields, as it is sent.
  var publicPayload: Self { get }
  /// The error without its internal and its personal fields, as it may be shown as text.
  var safePayload: Self { get }
}

extension DeclaredError {
  /// Who declared it.
  public var domain: String { Self.declaration.domain }
  /// What it is.
  public var code: String { Self.declaration.code }
  /// The gRPC status with which it travels.
  public var status: StatusCode { Self.declaration.status }
  /// The HTTP status with which it travels.
  public var httpStatus: Int { Self.declaration.httpStatus }
  /// How bad it is for the operators of the service.
  public var severity: Severity { Self.declaration.severity }
  /// Whether the same call may succeed later.
  public var retry: RetryClass { Self.declaration.retry }
  /// What it tells a circuit breaker.
  public var breaker: BreakerClass { Self.declaration.breaker }
  /// Whether the server had done nothing yet, so that any method may be retried.
  public var isRetrySafe: Bool { Self.declaration.isRetrySafe }
  /// How long to wait before a retry.
  public var retryAfter: Duration? { context.retryAfter ?? Self.declaration.retryAfter }
  /// Names of the categories it is in, outermost first.
  public var categories: [String] { Self.declaration.categories }
  /// No fields.
  public var safeFields: [(name: String, text: String)] { [] }
  /// Its safe fields as text, by their names in the schema.
  public var metadata: [String: String] {
    Dictionary(safeFields.map { ($0.name, $0.text) }, uniquingKeysWith: { $1 })
  }
  /// No details.
  public var derivedDetails: DerivedDetails { DerivedDetails() }
  /// English alone.
  public var localizedMessages: [Google_Rpc_LocalizedMessage] { [] }
  /// Nothing is wrong with the request.
  public var violations: [Google_Rpc_BadRequest.FieldViolation] { [] }
  /// The error as it is.
  public var publicPayload: Self { self }
  /// The error as it is sent: it has no personal fields.
  public var safePayload: Self { publicPayload }

  /// Such as "TASK_NOT_FOUND: Task 42 not found".
  public var description: String {
    let message = message
    return message.isEmpty ? code : "\(code): \(message)"
  }

  /// The same text: a message would show all its fields here, and an error may have some that are not for logs.
  public func write(to target: inout some TextOutputStream) { target.write(description) }

  /// Hands the error to a visitor.
  public func acceptVisitor<Visitor: ErrorVisitor>(_ visitor: Visitor) -> Visitor.Answer { visitor.declared(self) }
}

/// The static facts of a declared error.
public final class ErrorDeclaration: Sendable {
  /// Who declares it.
  public let domain: String
  /// What it is, in that domain.
  public let code: String
  /// Names of the categories it is in, outermost first.
  public let categories: [String]
  /// The gRPC status with which it travels.
  public let status: StatusCode
  /// The HTTP status with which it travels.
  public let httpStatus: Int
  /// How bad it is for the operators of the service.
  public let severity: Severity
  /// Whether the same call may succeed later.
  public let retry: RetryClass
  /// What it tells a circuit breaker.
  public let breaker: BreakerClass
  /// Whether the server has done nothing yet when it raises the error, so that any method may be retried.
  public let isRetrySafe: Bool
  /// How long to wait before a retry, unless the thrower says otherwise.
  public let retryAfter: Duration?

  /// The address of what `cached` keeps, retained; 0 before. An AtomicLazyReference costs 600 instructions to read.
  private let cache = Atomic<UInt>(0)

  /// A declaration, as generated code makes it.
  public init(
    domain: String, code: String, categories: [String] = [], status: StatusCode, httpStatus: Int? = nil,
    severity: Severity, retry: RetryClass, breaker: BreakerClass, isRetrySafe: Bool = false, retryAfter: Duration? = nil
  ) {
    self.domain = domain
    self.code = code
    self.categories = categories
    self.status = status
    self.httpStatus = httpStatus ?? status.httpStatus
    self.severity = severity
    self.retry = retry
    self.breaker = breaker
    self.isRetrySafe = isRetrySafe
    self.retryAfter = retryAfter?.bounded
  }

  /// The error's name everywhere and for ever.
  public var identity: ErrorIdentity { ErrorIdentity(domain: domain, code: code) }

  /// What a layer above derives from the declaration; made on first use and kept. Keeps a value of one type only;
  /// others are made each time.
  func cached<Value: AnyObject & Sendable>(_ make: (ErrorDeclaration) -> Value) -> Value {
    if let object = Self.object(at: cache.load(ordering: .acquiring))?.takeUnretainedValue() {
      return type(of: object) == Value.self ? unsafeDowncast(object, to: Value.self) : make(self)
    }
    let value = make(self)
    let object = Unmanaged<AnyObject>.passRetained(value)
    let address = UInt(bitPattern: object.toOpaque())
    // Another thread may have been faster.
    if !cache.compareExchange(expected: 0, desired: address, ordering: .acquiringAndReleasing).exchanged {
      object.release()
    }
    return value
  }

  private static func object(at address: UInt) -> Unmanaged<AnyObject>? {
    UnsafeRawPointer(bitPattern: address).map { .fromOpaque($0) }
  }

  deinit { Self.object(at: cache.load(ordering: .acquiring))?.release() }
}

// The values of fields as messages and metadata show them. Functions with the name of a type, because generated code
// writes them where a String is wanted.

/// A text as it is.
@inlinable
public func ErrorText(_ value: String) -> String { value }

/// A whole number in decimal digits.
public func ErrorText(_ value: some BinaryInteger) -> String { String(value) }

/// A number in the shortest form that reads back the same; whole numbers without a fraction.
public func ErrorText(_ value: Double) -> String {
  let text = value.description
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// A number in the shortest form that reads back the same; whole numbers without a fraction.
public func ErrorText(_ value: Float) -> String {
  let text = value.description
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// "true" or "false".
public func ErrorText(_ value: Bool) -> String { value ? "true" : "false" }

/// The name in the schema, or the number where there is none.
public func ErrorText(_ value: some ProtobufEnum) -> String { value.description }

/// Bytes in Base64, as in protobuf's JSON.
public func ErrorText(_ value: [UInt8]) -> String {
  String(decoding: Base64.encode(value, isPadded: true), as: UTF8.self)
}

/// The elements, joined by commas.
public func ErrorText(_ values: [String]) -> String { values.joined(separator: ", ") }

/// The elements, joined by commas.
public func ErrorText(_ values: [some BinaryInteger]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [Double]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [Float]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [Bool]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [some ProtobufEnum]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [[UInt8]]) -> String { join(values) { ErrorText($0) } }

private func join<Value>(_ values: [Value], _ text: (Value) -> String) -> String {
  values.map(text).joined(separator: ", ")
}
