// SPDX-License-Identifier: Apache-2.0
// Memory for a program that lives for milliseconds, or waits for a container for weeks: blocks of
// a few sizes, each with a list of the free ones, cut from a first piece that is there at the start
// and from further ones of the kernel. Large blocks are mappings of their own. There is one thread.
// Where the kernel refuses memory, a reserve takes its place, so that what was begun can be undone.
#include "base/memory_reserve.h"
#include "base/syscalls.h"
#include "freestanding/fatal.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace onggi {
namespace {

constexpr size_t kAlignment = 16, kLargest = 32'768, kPiece = 131'072, kPage = 4096;

// In front of each block.
struct Header {
  size_t size;                  // usable bytes
  enum class Mark : uint64_t {  // anything else has been overwritten
    in_use = 0x6f6e67676975,
    free = 0x6f6e67676966,
    mapped = 0x6f6e6767696d
  } mark;
};
static_assert(sizeof(Header) == kAlignment);

struct SizeClass {
  size_t index, size;
};

// Steps of 16 up to 128; then four between a power of two and the next, so that at most a fifth of
// a block is wasted.
constexpr SizeClass class_of(size_t wanted) {
  constexpr size_t kSmall = 128, kSteps = 4;
  const size_t top = wanted > 0 ? wanted - 1 : 0;
  if (top < kSmall) return {top / kAlignment, (top / kAlignment + 1) * kAlignment};
  const auto width = static_cast<size_t>(std::bit_width(top));
  const size_t step = top >> (width - 3);  // 4 to 7
  return {kSmall / kAlignment + (width - 8) * kSteps + step - kSteps, (step + 1) << (width - 3)};
}
static_assert(class_of(129).size == 160 && class_of(kLargest).size == kLargest);

struct Free {  // a list, whose links are in the free blocks
  Header* first;
};
Free free_blocks[class_of(kLargest).index + 1];
alignas(kAlignment) char first_piece[kPiece];
char* unused = first_piece;
char* end_of_unused = first_piece + kPiece;

// Several times what the undoing of a create needs. Its pages cost nothing until they are used.
alignas(kPage) char reserve[4 * kPiece];
char* reserve_left = reserve;

void* take_from_reserve(size_t size) {
  memory_reserve_in_use = true;
  if (size > static_cast<size_t>(reserve + sizeof reserve - reserve_left)) fatal("out of memory");
  return std::exchange(reserve_left, reserve_left + size);
}

// `size`: whole pages.
void* map(size_t size) {
  const long mapped = sys::call(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped < 0 && mapped > -static_cast<long>(kPage)) return take_from_reserve(size);
  return reinterpret_cast<void*>(mapped);
}

size_t mapping_of(size_t size) {
  if (size > SIZE_MAX / 2) fatal("out of memory");
  return (size + sizeof(Header) + kPage - 1) & ~(kPage - 1);
}

void* block_at(void* memory, size_t size, Header::Mark mark) {
  auto* header = static_cast<Header*>(memory);
  *header = {size, mark};
  return header + 1;
}

Header* header_of(void* block) {
  Header* header = static_cast<Header*>(block) - 1;
  if (header->mark != Header::Mark::in_use && header->mark != Header::Mark::mapped)
    fatal("heap corruption: memory was freed twice or overwritten");
  return header;
}

void* allocate(size_t wanted) {
  if (wanted > kLargest) {
    const size_t size = mapping_of(wanted);
    return block_at(map(size), size - sizeof(Header), Header::Mark::mapped);
  }
  const auto [index, size] = class_of(wanted);
  if (Header* header = free_blocks[index].first) {
    if (header->mark != Header::Mark::free) fatal("heap corruption: freed memory was overwritten");
    memcpy(&free_blocks[index], header + 1, sizeof(Free));
    header->mark = Header::Mark::in_use;
    return header + 1;
  }
  if (static_cast<size_t>(end_of_unused - unused) < size + sizeof(Header)) {
    unused = static_cast<char*>(map(kPiece));
    end_of_unused = unused + kPiece;
  }
  char* const memory = unused;
  unused += size + sizeof(Header);
  return block_at(memory, size, Header::Mark::in_use);
}

void release(void* block) {
  if (block == nullptr) return;
  Header* header = header_of(block);
  if (header->mark == Header::Mark::mapped) {
    (void)sys::call(SYS_munmap, header, header->size + sizeof(Header));
    return;
  }
  header->mark = Header::Mark::free;
  Free& list = free_blocks[class_of(header->size).index];
  memcpy(block, &list, sizeof list);
  list.first = header;
}

void* resize(void* block, size_t wanted) {
  if (block == nullptr) return allocate(wanted);
  const size_t before = header_of(block)->size;
  if (wanted <= before) return block;
  void* const larger = allocate(wanted);
  memcpy(larger, block, before);
  release(block);
  return larger;
}

}  // namespace
}  // namespace onggi

extern "C" {
void* malloc(size_t size) {
  return onggi::allocate(size);
}
void* realloc(void* block, size_t size) {
  return onggi::resize(block, size);
}
void free(void* block) {
  onggi::release(block);
}
}

void* operator new(size_t size) {
  return onggi::allocate(size);
}
void* operator new[](size_t size) {
  return onggi::allocate(size);
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return onggi::allocate(size);
}
void operator delete(void* block) noexcept {
  onggi::release(block);
}
void operator delete[](void* block) noexcept {
  onggi::release(block);
}
void operator delete(void* block, size_t) noexcept {
  onggi::release(block);
}
void operator delete[](void* block, size_t) noexcept {
  onggi::release(block);
}
