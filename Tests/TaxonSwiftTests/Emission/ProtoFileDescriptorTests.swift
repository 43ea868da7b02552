// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// The descriptors that generated code carries for reflection.
@Suite struct ProtoFileDescriptorTests {
  private let files: [ProtoFileDescriptor]

  init() throws {
    files = try #require(Shop.Fake.fileDescriptor).closure
  }

  @Test func theFilesOfAServiceComeFromAllModules() {
    #expect(
      files.map(\.name).sorted() == [
        "google/protobuf/descriptor.proto", "google/protobuf/duration.proto", "google/protobuf/empty.proto",
        "google/protobuf/timestamp.proto", "google/rpc/code.proto", "google/rpc/error_details.proto",
        "shop/v1/errors.proto", "shop/v1/messages.proto", "shop/v1/services.proto", "taxon/error_traits.proto",
        "taxon/taxonomy.proto",
      ])
  }

  @Test func everyFileIsWhatItsNameSaysAndComesBehindItsImports() throws {
    var known: Set<String> = []
    for file in files {
      let descriptor = try file.decoded()
      #expect(descriptor.name == file.name)
      #expect(descriptor.dependency == file.dependencies.map(\.name))
      #expect(known.isSuperset(of: descriptor.dependency))
      known.insert(file.name)
    }
    #expect(known.count == files.count)
  }

  @Test func everyTypeThatIsReferredToIsInOneOfTheFiles() throws {
    var declared: Set<String> = []
    var referred: Set<String> = []
    func visit(_ message: Google_Protobuf_DescriptorProto, _ scope: String) {
      let name = "\(scope).\(message.name ?? "")"
      declared.insert(name)
      referred.formUnion((message.field + message.extension).flatMap { [$0.typeName, $0.extendee] }.compactMap(\.self))
      declared.formUnion(message.enumType.map { "\(name).\($0.name ?? "")" })
      for nested in message.nestedType { visit(nested, name) }
    }
    for file in try files.map({ try $0.decoded() }) {
      let scope = ".\(file.package ?? "")"
      declared.formUnion(file.enumType.map { "\(scope).\($0.name ?? "")" })
      for message in file.messageType { visit(message, scope) }
      referred.formUnion(file.extension.flatMap { [$0.typeName, $0.extendee] }.compactMap(\.self))
      referred.formUnion(file.service.flatMap(\.method).flatMap { [$0.inputType, $0.outputType] }.compactMap(\.self))
    }
    #expect(referred.contains(".shop.v1.Everything"))
    #expect(referred.isSubset(of: declared))
  }

  @Test func theErrorsOfAMethodAreThereThoughNothingImportsThem() throws {
    let services = try #require(Shop.Fake.fileDescriptor)
    #expect(services.errorFiles.map(\.name) == ["shop/v1/errors.proto"])
    let errors = try #require(files.first { $0.name == "shop/v1/errors.proto" }).decoded()
    #expect(errors.messageType.map(\.name).contains("CustomerError"))
  }

  @Test func commentsAndPositionsAreLeftOutAndOptionsAreKept() throws {
    let errors = try #require(files.first { $0.name == "shop/v1/errors.proto" }).decoded()
    #expect(errors.sourceCodeInfo == nil)
    #expect(errors.options?.unknownFields.isEmpty == false)
  }

  @Test func onlyUnusualJSONNamesAreKept() throws {
    let messages = try #require(files.first { $0.name == "shop/v1/messages.proto" }).decoded()
    let names = messages.messageType.flatMap(\.field).compactMap(\.jsonName)
    #expect(names == ["byHand"])
  }

  @Test func aServiceWithoutGeneratedCodeHasNone() {
    struct Bare: RPCService {
      static var serviceName: String { "bare" }
      func register(in registry: inout ServiceRegistry) {}
    }
    #expect(Bare.fileDescriptor == nil)
  }
}
