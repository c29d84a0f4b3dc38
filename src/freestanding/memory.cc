// SPDX-License-Identifier: Apache-2.0
// The memory and string functions that g++ calls on its own and that the code of both programs
// uses. Short runs dominate, long ones are left to the processor's string instructions.
#include <cstddef>
#include <cstdint>

#ifndef __clang__
// A loop in here must not become a call of itself.
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

namespace {

// Copies `size` bytes, at least sizeof(Word) and at most twice as many, as two words that may
// overlap. Both are read first, so the ranges may overlap, too.
template <class Word>
void copy_two_words(char* to, const char* from, size_t size) {
  Word first, last;
  __builtin_memcpy(&first, from, sizeof first);
  __builtin_memcpy(&last, from + size - sizeof last, sizeof last);
  __builtin_memcpy(to, &first, sizeof first);
  __builtin_memcpy(to + size - sizeof last, &last, sizeof last);
}

bool copy_short(char* to, const char* from, size_t size) {
  if (size > 16) return false;
  if (size >= 8) {
    copy_two_words<uint64_t>(to, from, size);
  } else if (size >= 4) {
    copy_two_words<uint32_t>(to, from, size);
  } else if (size >= 2) {
    copy_two_words<uint16_t>(to, from, size);
  } else if (size == 1) {
    *to = *from;
  }
  return true;
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, size_t size) {
  if (copy_short(static_cast<char*>(to), static_cast<const char*>(from), size)) return to;
#if defined(__x86_64__)
  void* start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return start;
#else
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  for (; size > 16; size -= 8, out += 8, in += 8) __builtin_memcpy(out, in, 8);
  copy_short(out, in, size);
  return to;
#endif
}

void* memmove(void* to, const void* from, size_t size) {
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  if (copy_short(out, in, size)) return to;
  if (out - in < 0 || static_cast<size_t>(out - in) >= size) {
#if defined(__x86_64__)
    return memcpy(to, from, size);
#else
    for (size_t i = 0; i < size; i++) out[i] = in[i];
    return to;
#endif
  }
  for (; size >= 8; size -= 8) __builtin_memcpy(out + size - 8, in + size - 8, 8);
  while (size-- > 0) out[size] = in[size];
  return to;
}

void* memset(void* to, int byte, size_t size) {
#if defined(__x86_64__)
  void* start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
  return start;
#else
  auto* out = static_cast<char*>(to);
  for (size_t i = 0; i < size; i++) out[i] = static_cast<char>(byte);
  return to;
#endif
}

int memcmp(const void* left, const void* right, size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (; size >= 8; size -= 8, a += 8, b += 8) {
    uint64_t of_a, of_b;
    __builtin_memcpy(&of_a, a, 8);
    __builtin_memcpy(&of_b, b, 8);
    if (of_a != of_b) break;
  }
  for (; size > 0; size--, a++, b++) {
    if (*a != *b) return *a - *b;
  }
  return 0;
}

// Under other names here: C++ gives memchr and strchr two overloads each.
const void* find_byte(const void* bytes, int wanted, size_t size) __asm__("memchr");
[[gnu::used]] const void* find_byte(const void* bytes, int wanted, size_t size) {
  using Word [[gnu::may_alias, gnu::aligned(1)]] = uint64_t;
  constexpr uint64_t kOnes = 0x0101010101010101, kHighest = 0x8080808080808080;
  const auto* at = static_cast<const unsigned char*>(bytes);
  // Eight bytes at a time, until one of them is zero after the exclusive or.
  const uint64_t pattern = kOnes * static_cast<unsigned char>(wanted);
  for (; size >= sizeof(Word); size -= sizeof(Word), at += sizeof(Word)) {
    const uint64_t word = *reinterpret_cast<const Word*>(at) ^ pattern;
    if (((word - kOnes) & ~word & kHighest) != 0) break;
  }
  for (; size > 0; size--, at++) {
    if (*at == static_cast<unsigned char>(wanted)) return at;
  }
  return nullptr;
}

size_t strlen(const char* text) {
  const char* end = text;
  while (*end != 0) end++;
  return static_cast<size_t>(end - text);
}

size_t strnlen(const char* text, size_t most) {
  size_t length = 0;
  while (length < most && text[length] != 0) length++;
  return length;
}

}  // extern "C"
