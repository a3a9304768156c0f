#include "storage/catalog/reading/pson_parse.h"

namespace stompbox::catalog::reading {
namespace {

using storage::Error;
using storage::ErrorCode;

const char* what_is_wrong(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty: return "there is no value";
    case rapidjson::kParseErrorDocumentRootNotSingular: return "something follows the document";
    case rapidjson::kParseErrorValueInvalid: return "there is no value where one has to be";
    case rapidjson::kParseErrorObjectMissName: return "a key in double quotes is missing";
    case rapidjson::kParseErrorObjectMissColon: return "the colon after a key is missing";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return "a comma or the end of the object is missing";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return "a comma or the end of the array is missing";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid: return "a \\u escape is wrong";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return "a string has a raw control character or a wrong escape";
    case rapidjson::kParseErrorStringMissQuotationMark: return "a string does not end";
    case rapidjson::kParseErrorNumberTooBig:
    case rapidjson::kParseErrorNumberMissFraction:
    case rapidjson::kParseErrorNumberMissExponent: return "a number is not well formed";
    default: return "the syntax is wrong";
  }
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

Error invalid(std::string text) {
  return {ErrorCode::kInvalid, std::move(text)};
}

}  // namespace

Error pson_error(rapidjson::ParseErrorCode code, std::size_t offset, std::string_view text) {
  if (offset >= text.size()) {
    const bool in_string = code == rapidjson::kParseErrorStringMissQuotationMark;
    return invalid("not PSON: the text ends too early, after " + std::to_string(text.size()) +
                   " bytes" + (in_string ? ", inside a string" : ""));
  }
  const char* what = text[offset] == '\0' ? "there is a raw NUL" : what_is_wrong(code);
  return invalid("not PSON: " + std::string(what) + ", at byte " + std::to_string(offset));
}

storage::Status check_pson_start(std::string_view text) {
  std::size_t start = 0;
  while (start < text.size() && is_blank(text[start]))
    ++start;
  const std::string_view rest = text.substr(start);
  if (rest.empty()) return invalid("not PSON: the message is empty");
  if (rest.starts_with("---")) {
    return invalid("YAML instead of PSON, as 0.25.0beta1 sent it: that form is not supported");
  }
  if (rest.starts_with("\xEF\xBB\xBF")) {
    return invalid("not PSON: the text starts with a byte order mark");
  }
  if (rest.starts_with("\xFF\xFE") || rest.starts_with("\xFE\xFF") ||
      rest.substr(0, 4).find('\0') != std::string_view::npos) {
    return invalid("not PSON: the text looks like UTF-16 or UTF-32");
  }
  if (rest.front() != '{' && rest.front() != '[' && rest.front() != '/') {
    return invalid("not PSON: neither an object nor an array, at byte " + std::to_string(start));
  }
  return storage::kOk;
}

std::string_view trim_pson_end(std::string_view text) {
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\0'))
    text.remove_suffix(1);
  return text;
}

}  // namespace stompbox::catalog::reading
