// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nghttp2/nghttp2.h>

// Limits that nghttp2 got in 1.57 and 1.61, and that distributions have put into older ones as well: whether they are
// there is asked of the library, not of its version.
__attribute__((weak)) void nghttp2_option_set_stream_reset_rate_limit(
    nghttp2_option *option, uint64_t burst, uint64_t rate);
__attribute__((weak)) void nghttp2_option_set_max_continuations(nghttp2_option *option, size_t val);

// NGHTTP2_ERR_TOO_MANY_CONTINUATIONS, which older headers do not have.
enum { TAXON_NGHTTP2_TOO_MANY_CONTINUATIONS = -905 };

/// Sets the limits that the library has; returns how many of the two there are.
static inline int taxon_nghttp2_set_limits(
    nghttp2_option *option, uint64_t reset_burst, uint64_t reset_rate, size_t max_continuations) {
  int count = 0;
  if (nghttp2_option_set_stream_reset_rate_limit) {
    nghttp2_option_set_stream_reset_rate_limit(option, reset_burst, reset_rate);
    count++;
  }
  if (nghttp2_option_set_max_continuations) {
    nghttp2_option_set_max_continuations(option, max_continuations);
    count++;
  }
  return count;
}
