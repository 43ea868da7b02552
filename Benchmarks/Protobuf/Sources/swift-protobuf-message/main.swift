// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

// The same as Taxon's, taxon-bench-message.
let greeting = Greeting.with {
  $0.text = "Hello"
  $0.count = 3
}
let bytes: [UInt8] = try greeting.serializedBytes()
print(try Greeting(serializedBytes: bytes).text, bytes.count)
