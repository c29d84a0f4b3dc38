// SPDX-License-Identifier: Apache-2.0
// UTF-8 by the table of the Unicode standard (3-7): the second byte's range depends on the first.
#include "base/utf8.h"

#include <cstdint>

namespace onggi {
namespace {

struct Lead {
  uint8_t first, last;  // range of the lead byte
  uint8_t low, high;    // range of the second byte
  uint8_t length;
};
constexpr Lead kLeads[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

uint8_t byte_at(std::string_view text, size_t index) {
  return static_cast<uint8_t>(text[index]);
}

// C0, DEL, and C1 (U+0080 to U+009F, where U+009B is another ESC [).
bool is_control(std::string_view sequence) {
  const uint8_t first = byte_at(sequence, 0);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && byte_at(sequence, 1) < 0xa0;
}

void append_escaped(std::string& to, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '\n':
      to += "\\n";
      return;
    case '\r':
      to += "\\r";
      return;
    case '\t':
      to += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<uint8_t>(c);
  to += "\\x";
  to += kDigits[byte >> 4];
  to += kDigits[byte & 15];
}

}  // namespace

size_t utf8_sequence(std::string_view text) {
  if (text.empty()) return 0;
  const uint8_t first = byte_at(text, 0);
  if (first < 0x80) return 1;
  for (const Lead& lead : kLeads) {
    if (first < lead.first || first > lead.last) continue;
    if (text.size() < lead.length) return 0;
    if (byte_at(text, 1) < lead.low || byte_at(text, 1) > lead.high) return 0;
    for (size_t i = 2; i < lead.length; ++i) {
      if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
    }
    return lead.length;
  }
  return 0;
}

std::string replace_malformed_utf8(std::string_view text) {
  std::string replaced;
  replaced.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_sequence(text);
    replaced += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return replaced;
}

std::string printable(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_sequence(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || is_control(sequence)) {
      for (char c : sequence) append_escaped(line, c);
    } else {
      line += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  return line;
}

}  // namespace onggi
