// SPDX-License-Identifier: Apache-2.0
// Text from outside (paths, annotations, messages) is bytes; these make it fit for JSON and for a
// terminal.
#pragma once

#include <string>
#include <string_view>

namespace onggi {

// Length of the well-formed UTF-8 sequence (RFC 3629) at the start of `text`; 0 if there is none.
size_t utf8_sequence(std::string_view text);

// Every byte that is not part of a well-formed sequence becomes U+FFFD, as JSON must be UTF-8 (RFC
// 8259).
std::string replace_malformed_utf8(std::string_view text);

// One line without control characters: they and malformed bytes are written as \n, \x1b. A
// container's author chooses paths and names, so they must not be able to forge log lines or to
// drive the terminal of whoever reads them.
std::string printable(std::string_view text);

}  // namespace onggi
