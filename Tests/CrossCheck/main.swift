// SPDX-License-Identifier: Apache-2.0

// The program that Tests/Polyglot/test_protobuf.py compares with Google's implementation, and test_python_parity.py with the
// generated Python: requests come on standard
// input, answers go to standard output.
while let request = try Pipe.receive() {
  try Pipe.send(Sending(request: request)?.answer ?? Rewriting(request: request).answer)
}
