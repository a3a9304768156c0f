#pragma once

#include <string>

#include "broker/client/source_url.h"
#include "broker/client/tls_client.h"
#include "broker/drain_stage.h"
#include "broker/options/options.h"
#include "broker/stomp_source.h"
#include "storage/result.h"

namespace stompbox {

// What the options of the stage alone come to.
struct SourcePlan {
  StompSourceOptions source;
  client::TlsTrust trust;
  DrainStage::Parts stage;
  client::SourceUrl url;  // for the log and the status: see to_text
};

// Reads the file of the passcode and looks at those of TLS. kInvalid, kNotFound, kDenied with a
// sentence.
[[nodiscard]] storage::Result<SourcePlan> plan_source(const options::Options& options);

}  // namespace stompbox
