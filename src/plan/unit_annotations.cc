// SPDX-License-Identifier: Apache-2.0
// A small part of GVariant text (glib's "GVariant Text Format"): what properties of units are made
// of.
#include "base/ascii.h"
#include "plan/unit_properties.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace onggi::plan {
namespace {

constexpr std::string_view kPrefix = "org.systemd.property.";

struct Type {
  char code;  // of D-Bus
  std::string_view keyword;
  int64_t least;
  uint64_t greatest;
};
template <class T>
constexpr Type integer(char code, std::string_view keyword) {
  return {code, keyword, static_cast<int64_t>(std::numeric_limits<T>::min()),
          static_cast<uint64_t>(std::numeric_limits<T>::max())};
}
constexpr Type kTypes[] = {
    integer<int32_t>('i', "int32"), integer<uint32_t>('u', "uint32"),
    integer<int64_t>('x', "int64"), integer<uint64_t>('t', "uint64"),
    integer<int16_t>('n', "int16"), integer<uint16_t>('q', "uint16"),
    integer<uint8_t>('y', "byte"),  {'b', "boolean", 0, 0},
    {'s', "string", 0, 0},          {'d', "double", 0, 0},
};
const Type* type_of(char code) {
  for (const Type& type : kTypes) {
    if (type.code == code) return &type;
  }
  return nullptr;
}

// Takes "e-3" off the end of a number. 0: it has none; nothing: it is no number.
std::optional<int> take_exponent(std::string_view& text) {
  const size_t exponent = text.find_first_of("eE");
  if (exponent == std::string_view::npos) return 0;
  std::string_view digits = text.substr(exponent + 1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  text = text.substr(0, exponent);
  const auto given = parse_decimal<int16_t>(digits);
  return given ? std::optional<int>(*given) : std::nullopt;
}

// A decimal number times 10^`power`, without what is behind the point then. Nothing for what is no
// number, is negative or does not fit.
std::optional<uint64_t> scaled(std::string_view text, int power) {
  const std::optional<int> exponent = take_exponent(text);
  if (!exponent) return std::nullopt;
  power += *exponent;
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  uint64_t value = 0;
  bool any = false, fraction = false;
  const auto append = [&value](unsigned digit) {
    if (value > (kMost - digit) / 10) return false;
    value = value * 10 + digit;
    return true;
  };
  for (const char c : text) {
    if (c == '.' && !fraction) {
      fraction = true;
      continue;
    }
    if (!is_digit(c)) return std::nullopt;
    any = true;
    if (fraction && power <= 0) continue;
    if (fraction) --power;
    if (!append(static_cast<unsigned>(c - '0'))) return std::nullopt;
  }
  for (; power > 0 && value != 0; --power) {
    if (!append(0)) return std::nullopt;
  }
  for (; power < 0 && value != 0; ++power) value /= 10;
  return any ? std::optional(value) : std::nullopt;
}

// Each parse_* takes what it reads off the front of the text; nothing: it is not there.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // One value and nothing behind it.
  bool parse(UnitProperty& property) {
    const bool parsed = parse_value(property);
    skip_blanks();
    return parsed && rest_.empty();
  }

 private:
  bool parse_value(UnitProperty& property) {
    char type = 0;
    bool array = false;
    if (take('@')) {
      array = take('a');
      if (rest_.empty() || type_of(rest_.front()) == nullptr) return false;
      type = rest_.front();
      rest_.remove_prefix(1);
    }
    if (take('[')) {
      if (type != 0 && !array) return false;
      return parse_elements(type, property);
    }
    if (array || !parse_basic(type, property)) return false;
    property.signature = type;
    return true;
  }

  bool parse_elements(char type, UnitProperty& property) {
    if (!take(']')) {
      do {
        if (!parse_basic(type, property)) return false;
      } while (take(','));
      if (!take(']')) return false;
    }
    // An empty array has no type but a given one.
    if (type == 0) return false;
    property.signature = {'a', type};
    return true;
  }

  // `type` is 0 until something tells it; all elements of an array have one.
  bool parse_basic(char& type, UnitProperty& property) {
    for (const Type& known : kTypes) {
      if (!take_word(known.keyword)) continue;
      if (type != 0 && type != known.code) return false;
      type = known.code;
      break;
    }
    skip_blanks();
    if (rest_.empty()) return false;
    const char front = rest_.front();
    if (front == '\'' || front == '"') return is(type, 's') && parse_string(property);
    if (take_word("true")) return is(type, 'b') && add(property, "1");
    if (take_word("false")) return is(type, 'b') && add(property, "0");
    return parse_number(type, property);
  }

  bool parse_string(UnitProperty& property) {
    const char quote = rest_.front();
    std::string text;
    for (size_t i = 1; i < rest_.size(); i++) {
      char c = rest_[i];
      if (c == quote) {
        rest_.remove_prefix(i + 1);
        return add(property, std::move(text));
      }
      if (c == '\\') {
        if (++i == rest_.size()) return false;
        constexpr std::string_view kLetters = "abfnrtv", kMeanings = "\a\b\f\n\r\t\v";
        const size_t letter = kLetters.find(rest_[i]);
        c = letter == std::string_view::npos ? rest_[i] : kMeanings[letter];
      }
      if (c == '\0') return false;
      text += c;
    }
    return false;
  }

  // "2.5", "1e-3", "0x1f"
  std::string_view take_digits() {
    const bool hexadecimal = rest_.starts_with("0x");
    size_t end = 0;
    while (end < rest_.size()) {
      const bool sign = !hexadecimal && end > 0 && (rest_[end - 1] | 0x20) == 'e' &&
                        (rest_[end] == '-' || rest_[end] == '+');
      if (!sign && !is_alphanumeric(rest_[end]) && rest_[end] != '.') break;
      end++;
    }
    const std::string_view digits = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return digits;
  }

  bool parse_number(char& type, UnitProperty& property) {
    const bool negative = take('-');
    const std::string_view digits = take_digits();
    const bool fraction =
        !digits.starts_with("0x") && digits.find_first_of(".eE") != std::string_view::npos;
    if (type == 0) type = fraction ? 'd' : 'i';
    if (type == 'd') {
      return scaled(digits, 0) && add(property, (negative ? "-" : "") + std::string(digits));
    }
    const std::optional<uint64_t> value = magnitude(digits);
    const Type* given = type_of(type);
    if (!value || given->greatest == 0) return false;
    const auto most =
        negative ? uint64_t{0} - static_cast<uint64_t>(given->least) : given->greatest;
    if (*value > most) return false;
    return add(property, (negative && *value != 0 ? "-" : "") + std::to_string(*value));
  }

  static std::optional<uint64_t> magnitude(std::string_view digits) {
    if (!digits.starts_with("0x")) return parse_decimal<uint64_t>(digits);
    digits.remove_prefix(2);
    if (digits.empty() || digits.size() > 16) return std::nullopt;
    uint64_t value = 0;
    for (const char c : digits) {
      if (!is_hex_digit(c)) return std::nullopt;
      const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
      value = value << 4 | static_cast<uint64_t>(digit);
    }
    return value;
  }

  static bool is(char& type, char wanted) {
    if (type == 0) type = wanted;
    return type == wanted;
  }
  static bool add(UnitProperty& property, std::string value) {
    property.values.push_back(std::move(value));
    return true;
  }

  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    if (!rest_.starts_with(word)) return false;
    if (rest_.size() > word.size() && is_alphanumeric(rest_[word.size()])) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string_view rest_;
};

bool is_name(std::string_view name) {
  return name.size() >= 3 && std::ranges::all_of(name, is_letter);
}

// A property of the bus that is none of the unit: it moves running processes into it, and the
// container's own is moved by us.
Result<> check_effect(const UnitProperty& property) {
  if (property.name != "PIDs" && property.name != "PIDFDs") return {};
  return config_error(property.place, "moves processes, and sets nothing of the unit");
}

// Unit files have seconds (TimeoutStopSec), the bus has microseconds (TimeoutStopUSec).
bool is_seconds(std::string_view name) {
  return name.size() > 3 && name.ends_with("Sec") && is_lower(name[name.size() - 4]);
}

Result<> make_microseconds(UnitProperty& property) {
  constexpr int kMicroseconds = 6;  // decimal places of a second
  const bool number = property.values.size() == 1 && property.signature.size() == 1 &&
                      property.signature != "s" && property.signature != "b";
  const auto time = number ? scaled(property.values[0], kMicroseconds) : std::nullopt;
  if (!time) return config_error(property.place, "is not a number of seconds");
  property.name.insert(property.name.size() - 3, "U");
  property.signature = "t";
  property.values = {std::to_string(*time)};
  return {};
}

}  // namespace

Result<> add_unit_annotations(const spec::TextMap& annotations, UnitProperties& properties) {
  for (const auto& [key, value] : annotations) {
    if (!key.starts_with(kPrefix)) continue;
    UnitProperty property;
    property.name = key.substr(kPrefix.size());
    property.place = "annotations[\"" + std::string(key) + "\"]";
    if (!is_name(property.name)) {
      return config_error(
          property.place,
          "is not a valid property name: use at least three letters, and only letters");
    }
    TRY(check_effect(property));
    const bool seconds = is_seconds(property.name);
    // No property of a unit is a fraction.
    if (!Reader(value).parse(property) || (!seconds && property.signature.ends_with('d'))) {
      return with_hint(config_error(property.place, "'", value,
                                    "' is not a supported value in GVariant text format"),
                       "write it as, for example, true, 'text', uint64 100, ['a', 'b']");
    }
    if (seconds) TRY(make_microseconds(property));
    properties.push_back(std::move(property));
  }
  return {};
}

}  // namespace onggi::plan
