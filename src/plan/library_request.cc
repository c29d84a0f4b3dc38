// SPDX-License-Identifier: Apache-2.0
// One pair of functions for each type, a writer and a reader.
#include "plan/library_request.h"

#include "base/fields.h"

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

void write(std::string& bytes, const spec::SeccompArg& arg) {
  write(bytes, arg.index);
  write(bytes, arg.value);
  write(bytes, arg.value_two);
  write(bytes, arg.op);
}
bool read(FieldReader& fields, spec::SeccompArg& arg) {
  return read(fields, arg.index) && read(fields, arg.value) && read(fields, arg.value_two) &&
         read(fields, arg.op);
}

void write(std::string& bytes, const spec::SeccompSyscall& syscall);
bool read(FieldReader& fields, spec::SeccompSyscall& syscall);

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

void write(std::string& bytes, const spec::SeccompSyscall& syscall) {
  write(bytes, syscall.names);
  write(bytes, syscall.action);
  write(bytes, syscall.errno_ret);
  write(bytes, syscall.args);
}
bool read(FieldReader& fields, spec::SeccompSyscall& syscall) {
  return read(fields, syscall.names) && read(fields, syscall.action) &&
         read(fields, syscall.errno_ret) && read(fields, syscall.args);
}

bool read(FieldReader& fields, spec::Seccomp& seccomp) {
  return read(fields, seccomp.default_action) && read(fields, seccomp.default_errno_ret) &&
         read(fields, seccomp.architectures) && read(fields, seccomp.syscalls);
}
bool read(FieldReader& fields, MatchRequest& request) {
  return read(fields, request.pattern) && read(fields, request.texts);
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
  std::string bytes;
  write(bytes, kCommands[0]);
  write(bytes, seccomp.default_action);
  write(bytes, seccomp.default_errno_ret);
  write(bytes, seccomp.architectures);
  write(bytes, seccomp.syscalls);
  return bytes;
}

std::string encode(const MatchRequest& request) {
  std::string bytes;
  write(bytes, kCommands[1]);
  write(bytes, request.pattern);
  write(bytes, request.texts);
  return bytes;
}

Result<LibraryRequest> decode_library_request(std::string_view bytes) {
  LibraryRequest request;
  FieldReader fields(bytes);
  if (read_request(fields, request)) return request;
  return make_error(ErrorKind::internal, "onggi-libs: not a request");
}

}  // namespace onggi::plan
