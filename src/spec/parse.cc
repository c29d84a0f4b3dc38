// SPDX-License-Identifier: Apache-2.0
// One in-situ pass of RapidJSON makes a DOM in a pool, one walk refuses duplicate keys and NULs
// everywhere, then the tables of the parse_*.cc copy the known values out. The DOM is gone when
// parse returns.
#include "spec/parse.h"

#include "base/path.h"
#include "spec/reader.h"

#include <rapidjson/reader.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace onggi::spec {

namespace {

// Iterative: the depth of the input does not use up the stack. Numbers come as text, because
// RapidJSON would turn what does not fit 64 bits into a double.
constexpr unsigned kParseFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseNumbersAsStringsFlag;

// By ParseErrorCode.
constexpr std::string_view kSyntaxErrors[] = {
    "",
    "the document is empty",
    "unexpected text after the end of the document",
    "expected a value",
    "expected a key in quotes",
    "expected a colon",
    "expected a comma or '}'",
    "expected a comma or ']'",
    "\\u requires four hexadecimal digits",
    "incomplete surrogate pair",
    "unknown escape sequence, or a control character in a string",
    "a string has no closing quote",
    "invalid UTF-8",
    "the number is too big: integers range from -9223372036854775808 to 18446744073709551615",
    "expected digits after the decimal point",
    "expected digits in the exponent",
    "objects and arrays are nested too deeply",
    "syntax error",
};
static_assert(std::size(kSyntaxErrors) == rapidjson::kParseErrorUnspecificSyntaxError + 1);

// Hands RapidJSON's events to the DOM, and counts the depth.
class Builder {
 public:
  Builder(char* text, rapidjson::ParseResult& result) : stream_(text), result_(result) {}

  bool operator()(rapidjson::Document& document) {
    document_ = &document;
    result_ = reader_.Parse<kParseFlags>(stream_, *this);
    return !result_.IsError();
  }

  bool Null() { return document_->Null(); }
  bool Bool(bool value) { return document_->Bool(value); }
  bool Int(int value) { return document_->Int(value); }
  bool Uint(unsigned value) { return document_->Uint(value); }
  bool Int64(int64_t value) { return document_->Int64(value); }
  bool Uint64(uint64_t value) { return document_->Uint64(value); }
  bool Double(double value) { return document_->Double(value); }
  bool RawNumber(const char* digits, rapidjson::SizeType size, bool) {
    const std::string_view number(digits, size);
    if (const auto value = parse_decimal<uint64_t>(number)) return document_->Uint64(*value);
    if (const auto value = parse_decimal<int64_t>(number)) return document_->Int64(*value);
    return document_->Double(
        0);  // no field of the specification takes such a number; none reads its value
  }
  bool String(const char* text, rapidjson::SizeType size, bool copy) {
    return document_->String(text, size, copy);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    return document_->Key(text, size, copy);
  }
  bool StartObject() { return ++depth_ <= kMaxDepth && document_->StartObject(); }
  bool EndObject(rapidjson::SizeType members) { return --depth_, document_->EndObject(members); }
  bool StartArray() { return ++depth_ <= kMaxDepth && document_->StartArray(); }
  bool EndArray(rapidjson::SizeType elements) { return --depth_, document_->EndArray(elements); }

 private:
  rapidjson::InsituStringStream stream_;
  rapidjson::Reader reader_;
  rapidjson::ParseResult& result_;
  rapidjson::Document* document_ = nullptr;
  unsigned depth_ = 0;
};

// What other dialects of JSON have, or editors write, and JSON has not (RFC 8259).
std::string_view cure_of(std::string_view document, size_t offset) {
  const std::string_view rest = document.substr(std::min(offset, document.size()));
  const size_t before = document.substr(0, offset).find_last_not_of(" \t\r\n");
  if (document.starts_with("\xef\xbb\xbf"))
    return "save the file as UTF-8 without a byte order mark";
  if (rest.starts_with('/') || rest.starts_with('#')) return "JSON has no comments: remove it";
  if (rest.starts_with('\'')) return "JSON has strings in double quotes only";
  const bool after_comma = before != std::string_view::npos && document[before] == ',';
  if (after_comma && (rest.starts_with('}') || rest.starts_with(']')))
    return "remove the comma before it";
  return {};
}

// Columns are counted in characters: a byte 10xxxxxx continues one.
Error syntax_error(std::string_view name, std::string_view document, size_t offset,
                   std::string_view message) {
  const std::string_view before = document.substr(0, offset);
  const auto lines = std::ranges::count(before, '\n');
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto column =
      std::ranges::count_if(before.substr(line_start), [](char c) { return (c & 0xc0) != 0x80; });
  Error error = config_error(text<128>(name, ":", lines + 1, ":", column + 1).view(), message);
  error.hint.append(cure_of(document, offset));
  return error;
}

bool has_nul(Text string) {
  return string.find('\0') != Text::npos;
}

// A key that `object` has twice. Sorted only when there are many, so that no document is quadratic.
std::optional<Text> duplicate_key(const Json& object) {
  constexpr size_t kFew = 16;
  const auto members = object.GetObject();
  if (members.MemberCount() <= kFew) {
    for (auto one = members.begin(); one != members.end(); ++one) {
      for (auto other = members.begin(); other != one; ++other) {
        if (text_of(one->name) == text_of(other->name)) return text_of(one->name);
      }
    }
    return std::nullopt;
  }
  std::vector<Text> keys;
  keys.reserve(members.MemberCount());
  for (const auto& member : members) keys.push_back(text_of(member.name));
  std::ranges::sort(keys);
  const auto twin = std::ranges::adjacent_find(keys);
  return twin == keys.end() ? std::nullopt : std::optional(*twin);
}

// Recursion is bounded by kMaxDepth.
Result<> check_strings(const Cursor& at) {
  const Json& json = at.json();
  if (json.IsString() && has_nul(text_of(json)))
    return at.error("must not contain a NUL character");
  if (json.IsArray()) {
    uint32_t index = 0;
    for (const Json& element : json.GetArray()) TRY(check_strings(Cursor(at, index++, element)));
  }
  if (!json.IsObject()) return {};
  if (const auto key = duplicate_key(json)) return at.error_below(*key, "duplicate key");
  for (const auto& member : json.GetObject()) {
    const Text key = text_of(member.name);
    if (has_nul(key)) return at.error("a key must not contain a NUL character");
    TRY(check_strings(Cursor(at, key, member.value)));
  }
  return {};
}

}  // namespace

Result<> read(const Cursor& at, IdMapping& to) {
  static constexpr Field<IdMapping> kFields[] = {
      {"containerID", into<&IdMapping::container_id>, kRequired},
      {"hostID", into<&IdMapping::host_id>, kRequired},
      {"size", into<&IdMapping::size>, kRequired},
  };
  return read_object(at, kFields, to);
}

Result<> read(const Cursor& at, Mount& to) {
  static constexpr Field<Mount> kFields[] = {
      {"destination", into<&Mount::destination>, kRequired},
      {"type", into<&Mount::type>},
      {"source", into<&Mount::source>},
      {"options", into<&Mount::options>},
      {"uidMappings", into<&Mount::uid_mappings>},
      {"gidMappings", into<&Mount::gid_mappings>},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, Root& to) {
  static constexpr Field<Root> kFields[] = {
      {"path", into<&Root::path>, kRequired},
      {"readonly", into<&Root::readonly>},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, Spec& to) {
  static constexpr Field<Spec> kFields[] = {
      {"ociVersion", into<&Spec::oci_version>, kRequired},
      {"root", into<&Spec::root>},
      {"process", into<&Spec::process>},
      {"hostname", into<&Spec::hostname>},
      {"domainname", into<&Spec::domainname>},
      {"mounts", into<&Spec::mounts>},
      {"hooks", into<&Spec::hooks>},
      {"annotations", into<&Spec::annotations>},
      {"linux", into<&Spec::linux>},
  };
  return read_object(at, kFields, to);
}

// Engines send what they have to set, which may be nothing ({"cpu": {}}, {}). Keys that no table
// knows and no limit beside them are a mistake.
static bool has_limit(const Resources& resources) {
  const Memory memory = resources.memory.value_or(Memory());
  const Cpu cpu = resources.cpu.value_or(Cpu());
  return memory.limit || memory.reservation || memory.swap || memory.kernel || memory.kernel_tcp ||
         memory.swappiness || memory.disable_oom_killer || cpu.shares || cpu.burst || cpu.period ||
         cpu.realtime_period || cpu.quota || cpu.realtime_runtime || cpu.idle ||
         !cpu.cpus.empty() || !cpu.mems.empty() || resources.pids_limit || resources.block_io ||
         !resources.devices.empty() || !resources.hugepage_limits.empty() || resources.network ||
         !resources.rdma.empty() || !resources.unified.empty();
}

static Result<> read_update(const Cursor& at, Spec& to) {
  TRY(read(at, to.linux.resources.emplace()));
  if (to.unknown_key.empty() || has_limit(*to.linux.resources)) return {};
  const bool whole = at.json().HasMember("linux") || at.json().HasMember("ociVersion");
  // A slip of the pen is the cause, and told in its own words.
  if (!whole && !to.ignored.empty())
    return make_error(ErrorKind::invalid_config, to.ignored.front());
  return with_hint(at.error("no limit in it"),
                   "expected the content of linux.resources, such as "
                   "{\"memory\": {\"limit\": 30000000}}");
}

static Result<> read_process(const Cursor& at, Spec& to) {
  const Json& json = at.json();
  if (json.IsObject() && (json.HasMember("ociVersion") || json.HasMember("process"))) {
    return with_hint(at.error("must hold the process object alone, not a whole config.json"),
                     "write the content of its key \"process\" to the file");
  }
  return read(at, to.process.emplace());
}

static Result<Spec> parse_with(Text name, Text prefix, std::string_view document,
                               Result<> (*read_document)(const Cursor&, Spec&)) {
  if (document.size() > kMaxDocumentSize) {
    return config_error(name, "is larger than ", kMaxDocumentSize, " bytes");
  }
  // RapidJSON takes a NUL for the end of the text, and would not see what comes after it.
  if (const size_t nul = document.find('\0'); nul != document.npos) {
    return syntax_error(name, document, nul, "unexpected NUL character");
  }
  Spec spec;
  // RapidJSON checks a multi-byte character to its end, even if it begins in the text's last byte.
  constexpr size_t kTerminator = 4;
  spec.text = std::make_unique_for_overwrite<char[]>(document.size() + kTerminator);
  std::ranges::copy(document, spec.text.get());
  std::fill_n(spec.text.get() + document.size(), kTerminator, '\0');

  rapidjson::ParseResult result;
  rapidjson::Document json;
  Builder builder(spec.text.get(), result);
  json.Populate(builder);
  if (result.IsError())
    return syntax_error(name, document, result.Offset(), kSyntaxErrors[result.Code()]);

  const Source source{name, prefix, spec.ignored, spec.unknown_key};
  const Cursor root(json, source);
  TRY(check_strings(root));
  TRY(read_document(root, spec));
  return spec;
}

Result<Spec> parse(std::string_view document) {
  return parse_with("config.json", "", document, read);
}

Result<Spec> parse_update(std::string_view document, std::string_view name) {
  return parse_with(name, "linux.resources", document, read_update);
}

Result<Spec> parse_process(std::string_view document, std::string_view name) {
  return parse_with(name, text<128>(name, ": ").view(), document, read_process);
}

}  // namespace onggi::spec
