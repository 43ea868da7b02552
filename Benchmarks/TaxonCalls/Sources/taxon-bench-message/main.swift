// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

// The smallest program that has a message: how large it is.
let bytes = try Greeting(text: "Hello", count: 3).encoded()
print(try Greeting(decoding: bytes).text, bytes.count)
