#include "storage/catalog/schema.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

#include "storage/catalog/schema_time.h"

namespace stompbox::catalog {
namespace {

FoundTables complete() {
  FoundTables found;
  for (const TableSpec& table : needed_tables()) {
    for (std::string_view column : table.columns) {
      found[std::string(table.name)][std::string(column)] = {};
    }
  }
  return found;
}

}  // namespace

TEST_CASE("a schema with every needed column fits, whatever else there is") {
  FoundTables found = complete();
  found["hosts"]["uuid"] = {};  // as early Foreman added
  found["schema_migrations"]["version"] = {};
  CHECK_FALSE(schema_mismatch(found).has_value());
}

TEST_CASE("a missing table, a missing column and a foreign required column are named") {
  FoundTables found = complete();
  found.erase("param_values");
  CHECK(schema_mismatch(found) == "table `param_values` is missing");
  found = complete();
  found["hosts"].erase("environment");
  CHECK(schema_mismatch(found) == "table `hosts` has no column `environment`");
  found = complete();
  found["hosts"]["owner"] = {true};
  CHECK(schema_mismatch(found) ==
        "table `hosts` has a column `owner` that must be given and that Puppet does not know");
}

TEST_CASE("the environment's name is found in the YAML of an old Puppet") {
  CHECK(environment_in_yaml("--- !ruby/object:Puppet::Node::Environment \nname: :testing\n") ==
        "testing");
  CHECK(environment_in_yaml("--- &id001 !ruby/object:Puppet::Node::Environment \n"
                            "name: :\"--- !ruby/object:Puppet::Node::Environment \\nname: "
                            ":production\\n\"\n") == "production");
  CHECK_FALSE(environment_in_yaml("production").has_value());
  CHECK_FALSE(environment_in_yaml("--- nothing here").has_value());
  CHECK_FALSE(environment_in_yaml("--- name:").has_value());
  CHECK_FALSE(environment_in_yaml("").has_value());
}

TEST_CASE("timestamps are local time with six decimals") {
  using namespace std::chrono;
  ::setenv("TZ", "XYZ-02:30", 1);  // two and a half hours east
  ::tzset();
  LocalTimestamps timestamps;
  const system_clock::time_point epoch{};
  CHECK(timestamps.at(epoch) == "1970-01-01 02:30:00.000000");
  CHECK(timestamps.at(epoch + seconds(1) + microseconds(42)) == "1970-01-01 02:30:01.000042");
  CHECK(timestamps.at(epoch + seconds(1) + microseconds(999'999)) == "1970-01-01 02:30:01.999999");
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace stompbox::catalog
