// SPDX-License-Identifier: Apache-2.0
// Linked like onggi, without a C library: so neither doctest nor exceptions. Memory functions and
// allocator are compared with the plainest code there is, on many sizes and positions.
//   freestanding_test WORD [ARGUMENT]...
#include "base/syscalls.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using onggi::sys::write;

void say(std::string_view text) {
  (void)write(1, text.data(), text.size());
}

bool check(bool holds, const char* what) {
  if (holds) return true;
  say(what);
  say(" is wrong\n");
  return false;
}

class Random {
 public:
  uint64_t next() {  // xorshift64
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  size_t below(size_t limit) { return next() % limit; }

 private:
  uint64_t state_ = 88172645463325252;
};

constexpr size_t kSize = 1024;
using Bytes = unsigned char[kSize];

void fill(Bytes& bytes, Random& random) {
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random.next());
}

bool equal(const Bytes& a, const Bytes& b) {
  for (size_t i = 0; i < kSize; i++) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// Every size up to 300 between every pair of a few positions; in one buffer, so that most overlap.
bool check_moves() {
  Random random;
  Bytes original, expected, actual;
  for (size_t size = 0; size < 300; size++) {
    for (const size_t from : {0UL, 1UL, 7UL, 64UL, 200UL}) {
      for (const size_t to : {0UL, 3UL, 8UL, 65UL, 210UL, 600UL}) {
        fill(original, random);
        std::copy(original, original + kSize, expected);
        std::copy(original, original + kSize, actual);
        for (size_t i = 0; i < size; i++) expected[to + i] = original[from + i];
        void* const moved = memmove(actual + to, actual + from, size);
        if (!check(equal(expected, actual) && moved == actual + to, "memmove")) return false;
        std::copy(original, original + kSize, actual);
        (void)memcpy(actual + to, original + from, size);
        if (!check(equal(expected, actual), "memcpy")) return false;
        for (size_t i = 0; i < size; i++) expected[to + i] = 0xa5;
        (void)memset(actual + to, 0x1a5, size);
        if (!check(equal(expected, actual), "memset")) return false;
      }
    }
  }
  return true;
}

int sign(int number) {
  return number < 0 ? -1 : number > 0 ? 1 : 0;
}

bool check_searches() {
  Random random;
  Bytes left, right;
  for (size_t size = 0; size < 100; size++) {
    fill(left, random);
    for (size_t different = 0; different <= size; different++) {
      std::copy(left, left + kSize, right);
      right[different] = static_cast<unsigned char>(left[different] + 128);
      const int expected = different == size ? 0 : left[different] < right[different] ? -1 : 1;
      if (!check(sign(memcmp(left, right, size)) == expected, "memcmp")) return false;
    }
    std::fill(left, left + kSize, 1);
    left[size] = 200;
    if (!check(memchr(left, 200, size) == nullptr, "memchr of nothing")) return false;
    if (!check(memchr(left, 200, kSize) == left + size, "memchr")) return false;
    left[size] = 0;
    const auto* text = reinterpret_cast<const char*>(left);
    if (!check(strlen(text) == size, "strlen")) return false;
    if (!check(strnlen(text, 50) == std::min<size_t>(size, 50), "strnlen")) return false;
  }
  return true;
}

// Blocks that are made, grown and freed in no order, each full of its own byte.
bool check_allocator() {
  struct Block {
    unsigned char* bytes = nullptr;
    size_t size = 0;
    unsigned char content = 0;
  };
  Random random;
  std::vector<Block> blocks(200);
  for (unsigned round = 0; round < 100'000; round++) {
    Block& block = blocks[random.below(blocks.size())];
    for (size_t i = 0; i < block.size; i++) {
      if (!check(block.bytes[i] == block.content, "the content of a block")) return false;
    }
    const size_t size = random.below(random.below(50) == 0 ? 100'000 : 400);
    const size_t kept = std::min(size, block.size);
    if (random.below(3) == 0) {
      free(block.bytes);
      block.bytes = static_cast<unsigned char*>(malloc(size));
    } else {
      block.bytes = static_cast<unsigned char*>(realloc(block.bytes, size));
      for (size_t i = 0; i < kept; i++) {
        if (!check(block.bytes[i] == block.content, "the content after realloc")) return false;
      }
    }
    if (!check(reinterpret_cast<uintptr_t>(block.bytes) % 16 == 0, "alignment")) return false;
    block.size = size;
    block.content = static_cast<unsigned char>(random.next());
    (void)memset(block.bytes, block.content, size);
  }
  for (const Block& block : blocks) free(block.bytes);
  return true;
}

// As /proc/self/statm has it, in pages.
size_t size_of_program() {
  const long file = onggi::sys::openat(AT_FDCWD, "/proc/self/statm", O_RDONLY);
  char text[64] = {};
  (void)onggi::sys::read(static_cast<int>(file), text, sizeof text - 1);
  (void)onggi::sys::close(static_cast<int>(file));
  size_t pages = 0;
  for (const char* at = text; *at >= '0' && *at <= '9'; at++)
    pages = 10 * pages + static_cast<size_t>(*at - '0');
  return pages;
}

// A program that waits for weeks and allocates with every event.
bool check_reuse() {
  const auto once = [] {
    std::string text;
    for (int i = 0; i < 1000; i++) text.append("some more text, ");
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < 100; i++) map[std::to_string(i)].assign(static_cast<size_t>(i), i);
    return text.size() + map.size();
  };
  (void)once();
  const size_t before = size_of_program();
  for (int i = 0; i < 1000; i++) (void)once();
  return check(before != 0 && size_of_program() == before, "the memory that is held");
}

struct Constructed {
  Constructed() : text("made before main") {}
  std::string text;
};
const Constructed constructed;
constexpr const char* kTexts[] = {"pointers", "of", "constants", "are", "relocated"};
const char* const* const volatile texts = kTexts;
int (*const volatile functions[])(int) = {sign, nullptr};

bool check_start() {
  std::string joined;
  for (int i = 0; i < 5; i++) joined.append(texts[i]);
  return check(joined == "pointersofconstantsarerelocated", "a table of texts") &&
         check(functions[0](-7) == -1, "a table of functions") &&
         check(constructed.text == "made before main", "a constructor");
}

// The compiler is not to see what is done with `bytes`.
template <class T>
T* unknown(T* bytes) {
  __asm__ volatile("" : "+r"(bytes) : : "memory");
  return bytes;
}

[[gnu::noinline]] void overwrite_stack(size_t size) {
  char buffer[16];
  (void)memset(unknown(buffer), 'x', size);
  (void)unknown(buffer);
}

int break_down(std::string_view how) {
  auto* block = static_cast<char*>(malloc(100));
  if (how == "double-free") {
    free(block);
    free(block);
  }
  if (how == "underrun") {
    (void)memset(unknown(block - 8), 'x', 8);
    free(block);
  }
  if (how == "too-much") free(malloc(size_t{1} << 60));
  if (how == "length") {
    volatile size_t length = SIZE_MAX;
    (void)std::string().append(length, 'x');
  }
  if (how == "stack") overwrite_stack(64);
  if (how == "read-only") *const_cast<const char**>(&kTexts[1]) = "changed";
  return 2;
}

int print_variable(const char* name, std::string_view prefix) {
  say(prefix);
  if (const char* value = getenv(name)) {
    say("=");
    say(value);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word == "environment" && argc == 4) return print_variable(argv[2], argv[3]);
  if (word == "place") {
    say(std::to_string(reinterpret_cast<uintptr_t>(&constructed)) + "\n");
    return 0;
  }
  if (word != "checks") return break_down(word);
  const bool good =
      check_moves() && check_searches() && check_allocator() && check_reuse() && check_start();
  if (good) say("ok\n");
  return good ? 0 : 1;
}
