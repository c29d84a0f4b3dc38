// SPDX-License-Identifier: Apache-2.0
// The grammar of references is that of distribution-spec ("Pulling manifests") for repository and
// tag; that the first component may be a host is the convention of the docker client.
#include "model/reference.h"

#include "model/digest.h"

#include <algorithm>

namespace onggi::image {

namespace {

constexpr std::string_view kDockerHub = "docker.io";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}
bool is_alphanumeric(char c) {
  return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z');
}

template <class... Parts>
Error wrong(std::string_view text, const Parts&... parts) {
  return make_error(ErrorKind::invalid_config, "'", text,
                    "' is not a valid image name: ", parts...);
}

bool is_port(std::string_view text) {
  const auto port = parse_decimal<uint16_t>(text);
  return port.has_value() && *port != 0;
}

// "[::1]" or "[::1]:5000"
bool is_bracketed_host(std::string_view text) {
  const size_t end = text.find(']');
  if (end == text.npos || end < 3) return false;
  const auto is_address_byte = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
  };
  if (!std::ranges::all_of(text.substr(1, end - 1), is_address_byte)) return false;
  text.remove_prefix(end + 1);
  return text.empty() || (text.front() == ':' && is_port(text.substr(1)));
}

// Of a host's name, between two dots.
bool is_label(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::ranges::all_of(text, [](char c) { return c == '-' || is_alphanumeric(c); });
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) return is_bracketed_host(text);
  const size_t colon = text.find(':');
  if (colon != text.npos && !is_port(text.substr(colon + 1))) return false;
  text = text.substr(0, colon);
  for (size_t dot = text.find('.'); dot != text.npos; dot = text.find('.')) {
    if (!is_label(text.substr(0, dot))) return false;
    text.remove_prefix(dot + 1);
  }
  return is_label(text);
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_component(std::string_view text) {
  if (text.empty() || !is_lower_alphanumeric(text.front()) || !is_lower_alphanumeric(text.back()))
    return false;
  size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && is_lower_alphanumeric(text[at])) ++at;
    const size_t start = at;
    while (at < text.size() && !is_lower_alphanumeric(text[at])) ++at;
    const std::string_view separator = text.substr(start, at - start);
    if (!separator.empty() && separator != "." && separator != "_" && separator != "__" &&
        separator.find_first_not_of('-') != separator.npos)
      return false;
  }
  return true;
}

bool is_repository(std::string_view text) {
  while (true) {
    const size_t slash = text.find('/');
    if (!is_component(text.substr(0, slash))) return false;
    if (slash == text.npos) return true;
    text.remove_prefix(slash + 1);
  }
}

// [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
bool is_tag(std::string_view text) {
  const auto is_tag_byte = [](char c) {
    return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
  };
  return !text.empty() && text.size() <= 128 && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text, is_tag_byte);
}

bool names_a_host(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:[") != component.npos;
}

}  // namespace

Result<Reference> parse_reference(std::string_view text) {
  Reference reference;
  std::string_view rest = text;
  if (const size_t at = rest.find('@'); at != rest.npos) {
    reference.digest = TRY(Digest::parse(rest.substr(at + 1))).text();
    rest = rest.substr(0, at);
  }
  if (const size_t colon = rest.rfind(':');
      colon != rest.npos && rest.find('/', colon) == rest.npos) {
    reference.tag = rest.substr(colon + 1);
    if (!is_tag(reference.tag))
      return wrong(text, "a tag has at most 128 of the characters A-Z a-z 0-9 _ . -");
    rest = rest.substr(0, colon);
  }
  reference.registry = kDockerHub;
  if (const size_t slash = rest.find('/');
      slash != rest.npos && names_a_host(rest.substr(0, slash))) {
    reference.registry = rest.substr(0, slash);
    if (!is_host(reference.registry))
      return wrong(text, "the host before the first slash is missing");
    rest.remove_prefix(slash + 1);
  }
  if (reference.registry == "index.docker.io" || reference.registry == "registry-1.docker.io")
    reference.registry = kDockerHub;
  if (!is_repository(rest)) {
    return wrong(text, "a repository consists of a-z 0-9, separated by . _ __ or -");
  }
  if (rest.size() + reference.registry.size() > 255)
    return wrong(text, "it is longer than 255 characters");
  const bool is_official = reference.registry == kDockerHub && rest.find('/') == rest.npos;
  reference.repository = (is_official ? "library/" : "") + std::string(rest);
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

bool is_short_name(std::string_view text) {
  const size_t slash = text.find('/');
  return slash == text.npos || !names_a_host(text.substr(0, slash));
}

std::string to_text(const Reference& reference) {
  std::string text = reference.registry + "/" + reference.repository;
  if (!reference.tag.empty()) text += ":" + reference.tag;
  if (!reference.digest.empty()) text += "@" + reference.digest;
  return text;
}

std::string_view host_of(std::string_view registry) {
  return registry == kDockerHub ? "registry-1.docker.io" : registry;
}

}  // namespace onggi::image
