// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Synchronization
import Taxon

/// The tasks and their histories, in SQLite.
public final class TaskStore: TaskReader {
  private let writer: any DatabaseWriter
  private let now: @Sendable () -> Date
  private let isClosed = Atomic<Bool>(false)

  /// Opens the tasks.
  ///
  /// - Parameters:
  ///   - path: A file, made when it is not there; nil keeps the tasks in memory.
  ///   - now: The time, for the history.
  /// - Throws: `DATABASE_ERROR` when the file cannot be opened or brought up to date.
  public convenience init(path: String? = nil, now: @escaping @Sendable () -> Date = { Date() }) throws(SystemError) {
    try self.init(now: now) {
      let database: any DatabaseWriter = if let path { try DatabasePool(path: path) } else { try DatabaseQueue() }
      try Self.migrator.migrate(database)
      return database
    }
  }

  /// Opens a file that another process writes, only to read it.
  ///
  /// - Throws: `DATABASE_ERROR` when the file cannot be opened.
  public convenience init(replica path: String) throws(SystemError) {
    try self.init {
      var configuration = Configuration()
      configuration.readonly = true
      return try DatabaseQueue(path: path, configuration: configuration)
    }
  }

  private init(
    now: @escaping @Sendable () -> Date = { Date() }, open: () throws -> any DatabaseWriter
  ) throws(SystemError) {
    self.now = now
    do {
      writer = try open()
    } catch {
      // GRDB's own errors convert themselves; here the operation has a better name than the statement that failed.
      throw .database(operation: "open", error: "\(error)", cause: error)
    }
  }

  /// The task with this id; nil when there is none.
  public func task(_ id: String) async throws -> TaskRecord? {
    try await database().read { database in try Self.stored(id, in: database)?.record }
  }

  /// The task with this id as it is, and again after each change that this store makes; nil when there is none. A reader
  /// that is slow gets the newest.
  ///
  /// - Throws: `GRDB.DatabaseError` when the store is closed; so does the sequence when reading fails.
  public func states(of id: String) throws -> some AsyncSequence<TaskRecord?, any Error> & Sendable {
    ValueObservation.tracking { database in try Self.stored(id, in: database)?.record }
      .values(in: try database(), bufferingPolicy: .bufferingNewest(1))
  }

  /// A page of tasks, oldest first.
  public func tasks(_ query: TaskQuery) async throws -> TaskPage {
    try await database().read { database in
      var tasks = TaskRow.order(TaskRow.CodingKeys.position)
      if query.status != .unspecified { tasks = tasks.filter(TaskRow.CodingKeys.status == query.status.word) }
      if let token = query.after { tasks = tasks.filter(TaskRow.CodingKeys.position > token.position) }
      // One more than is wanted tells whether there is another page.
      let found = try StoredTask.request(tasks.limit(query.size + 1)).fetchAll(database)
      let page = found.prefix(query.size)
      let next = found.count > page.count ? page.last?.task.position : nil
      return TaskPage(tasks: page.map(\.record), next: next.map { PageToken(status: query.status, position: $0) })
    }
  }

  /// Keeps a new task, pending.
  public func create(_ contract: TaskContract) async throws -> TaskRecord {
    let row = TaskRow(id: UUID().uuidString.lowercased(), contract: contract, status: .pending, createdAt: now())
    return try await database().write { database in
      var row = row
      try row.insert(database)
      let change = ChangeRow(taskID: row.id, status: row.status, at: row.createdAt)
      try change.insert(database)
      return StoredTask(task: row, history: [change]).record
    }
  }

  /// A change of a task.
  public struct Change: Hashable, Sendable {
    /// The state it is to be in.
    public var status: TaskStatus
    /// What an arm answered; nil keeps the present output.
    public var output: String?
    /// The code of the error that ended an execution.
    public var errorCode: String?

    /// A change of the state alone, unless said otherwise.
    public init(_ status: TaskStatus, output: String? = nil, errorCode: String? = nil) {
      self.status = status
      self.output = output
      self.errorCode = errorCode
    }
  }

  /// Changes a task and writes the change into its history: both or, when anything throws, neither.
  ///
  /// - Parameter decide: Sees the task inside the transaction and says how it changes; nil leaves it unchanged, and
  ///   what it throws is thrown on.
  /// - Throws: `TASK_NOT_FOUND` when there is no such task.
  @discardableResult
  public func update(
    _ id: String, _ decide: @escaping @Sendable (TaskRecord) throws -> Change?
  ) async throws -> TaskRecord {
    let now = now()
    // GRDB runs the block in a transaction and rolls it back when the block throws.
    return try await database().write { database in
      guard var stored = try Self.stored(id, in: database) else { throw ValidationError.taskNotFound(taskID: id) }
      guard let change = try decide(stored.record) else { return stored.record }
      stored.task.status = change.status.word
      stored.task.output = change.output ?? stored.task.output
      try stored.task.update(database)
      let line = ChangeRow(taskID: id, status: change.status.word, at: now, errorCode: change.errorCode)
      try line.insert(database)
      stored.history.append(line)
      return stored.record
    }
  }

  /// Makes tasks pending again that were running when the process that ran them ended.
  ///
  /// - Returns: How many there were.
  @discardableResult
  public func requeueInterrupted() async throws -> Int {
    let interrupted = try await tasks(TaskQuery(status: .running, size: .max - 1)).tasks
    for task in interrupted { try await update(task.taskID) { $0.status == .running ? Change(.pending) : nil } }
    return interrupted.count
  }

  /// A copy in memory, as it is now.
  ///
  /// - Throws: `DATABASE_ERROR`.
  public func snapshot() throws(SystemError) -> TaskStore {
    try TaskStore(now: now) {
      let copy = try DatabaseQueue()
      try database().backup(to: copy)
      return copy
    }
  }

  /// Closes the store: what is under way ends, what comes later fails with `DATABASE_ERROR`. The file itself is closed
  /// when the store is gone.
  public func close() {
    // GRDB's own `close` is not for databases that are in use: a read that comes after it crashes (7.10).
    isClosed.store(true, ordering: .releasing)
  }

  /// The database, as long as the store is open.
  func database() throws -> any DatabaseWriter {
    guard !isClosed.load(ordering: .acquiring) else {
      throw GRDB.DatabaseError(resultCode: .SQLITE_MISUSE, message: "The store is closed")
    }
    return writer
  }

  private static func stored(_ id: String, in database: Database) throws -> StoredTask? {
    try StoredTask.request(TaskRow.filter(TaskRow.CodingKeys.id == id)).fetchOne(database)
  }
}

/// The registered conversion: wherever the database's own error meets a method's errors, it is `DATABASE_ERROR`. What
/// SQLite said stays in the process; the original is the cause, which the server logs.
// A package of your own writes `@retroactive TaxonomyErrorConvertible`: this one has the protocol itself.
extension GRDB.DatabaseError: TaxonomyErrorConvertible {
  /// `DATABASE_ERROR`, with the verb of the statement as the operation.
  public var taxonomyError: any TaxonomyError {
    SystemError.DatabaseError(operation: operation, error: description, cause: self)
  }

  private var operation: String {
    sql?.split(maxSplits: 1, whereSeparator: \.isWhitespace).first?.lowercased() ?? "access"
  }
}
