//! What the gateway must know of a JSON body without building it: the model, whether it streams, which top-level
//! members it has. Works on the frames as they came, so a large body is neither joined nor parsed.
