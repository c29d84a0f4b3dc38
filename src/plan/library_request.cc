// SPDX-License-Identifier: Apache-2.0
// One list of parts for each record, one pair of functions for each type of part.
#include "plan/library_request.h"

#include "base/fields.h"

#include <concepts>
#include <tuple>
#include <type_traits>

namespace onggi::plan {
namespace {

constexpr std::string_view kCommands[] = {"seccomp", "match"};

void write(std::string& bytes, spec::Text text) {
  add_field(bytes, text);
}
bool read(FieldReader& fields, spec::Text& text) {
  const std::optional<std::string_view> field = fields.next();
  text = field.value_or(spec::Text());
  return field.has_value();
}

template <std::integral I>
void write(std::string& bytes, I number) {
  add_field(bytes, number);
}
template <std::integral I>
bool read(FieldReader& fields, I& number) {
  const std::optional<I> field = fields.next_number<I>();
  number = field.value_or(0);
  return field.has_value();
}

void write(std::string& bytes, spec::SeccompAction action) {
  add_field(bytes, static_cast<uint8_t>(action));
}
bool read(FieldReader& fields, spec::SeccompAction& action) {
  const std::optional<uint8_t> field = fields.next_number<uint8_t>();
  if (!field || *field > static_cast<uint8_t>(spec::SeccompAction::notify)) return false;
  action = static_cast<spec::SeccompAction>(*field);
  return true;
}

void write(std::string& bytes, std::optional<uint32_t> number) {
  if (number) return write(bytes, *number);
  add_field(bytes, std::string_view());
}
bool read(FieldReader& fields, std::optional<uint32_t>& number) {
  const std::optional<std::string_view> field = fields.next();
  if (!field) return false;
  number = parse_decimal<uint32_t>(*field);
  return number || field->empty();
}

// Of each record what is sent, in this order, for the writer and the reader.
template <class T, class Record>
concept Either = std::same_as<std::remove_const_t<T>, Record>;  // const or not

auto parts_of(Either<spec::SeccompArg> auto& arg) {
  return std::tie(arg.index, arg.value, arg.value_two, arg.op);
}
auto parts_of(Either<spec::SeccompSyscall> auto& syscall) {
  return std::tie(syscall.names, syscall.action, syscall.errno_ret, syscall.args);
}
auto parts_of(Either<spec::Seccomp> auto& seccomp) {
  return std::tie(seccomp.default_action, seccomp.default_errno_ret, seccomp.architectures,
                  seccomp.syscalls);
}
auto parts_of(Either<MatchRequest> auto& request) {
  return std::tie(request.pattern, request.texts);
}

template <class T>
concept Record = requires(T& record) {
  parts_of(record);
};

template <class T>
void write(std::string& bytes, const std::vector<T>& list);
template <class T>
bool read(FieldReader& fields, std::vector<T>& list);

template <Record T>
void write(std::string& bytes, const T& record) {
  std::apply([&](const auto&... part) { (write(bytes, part), ...); }, parts_of(record));
}
template <Record T>
bool read(FieldReader& fields, T& record) {
  return std::apply([&](auto&... part) { return (read(fields, part) && ...); }, parts_of(record));
}

// How many, and then each.
template <class T>
void write(std::string& bytes, const std::vector<T>& list) {
  add_field(bytes, list.size());
  for (const T& element : list) write(bytes, element);
}
template <class T>
bool read(FieldReader& fields, std::vector<T>& list) {
  const std::optional<size_t> count = fields.next_number<size_t>();
  if (!count) return false;
  for (size_t i = 0; i < *count; i++) {
    if (!read(fields, list.emplace_back())) return false;
  }
  return true;
}

template <Record T>
std::string encode_as(std::string_view command, const T& record) {
  std::string bytes;
  add_field(bytes, command);
  write(bytes, record);
  return bytes;
}

bool read_request(FieldReader& fields, LibraryRequest& request) {
  const std::optional<size_t> command = fields.next_of(kCommands);
  if (!command) return false;
  const bool whole = *command == 0 ? read(fields, request.emplace<spec::Seccomp>())
                                   : read(fields, request.emplace<MatchRequest>());
  return whole && fields.empty();
}

}  // namespace

std::string encode(const spec::Seccomp& seccomp) {
  return encode_as(kCommands[0], seccomp);
}

std::string encode(const MatchRequest& request) {
  return encode_as(kCommands[1], request);
}

Result<LibraryRequest> decode_library_request(std::string_view bytes) {
  LibraryRequest request;
  FieldReader fields(bytes);
  if (read_request(fields, request)) return request;
  return make_error(ErrorKind::internal, "onggi-libs: invalid request");
}

}  // namespace onggi::plan
