// SPDX-License-Identifier: Apache-2.0

/// The scalar types of protobuf, by the names that schemas and generated tables use.
package enum ScalarType: String {
  case double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64, bool, string
  case bytes
}
