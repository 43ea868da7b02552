// SPDX-License-Identifier: Apache-2.0
import EchoSchema
import Taxon

let port = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "50051"
let client = Echo.Client(try Channel("dns:///127.0.0.1:\(port)"))
print(try await client.get(EchoRequest(text: "hello")).text)
