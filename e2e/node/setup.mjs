// What test_node.py says about the gateway and the upstreams behind it.

const given = JSON.parse(process.env.TIDEGATE_E2E);

export const { gateway, key: KEY, question: QUESTION, text: TIDE, arguments: ARGUMENTS } = given;
export const { openaiTool: OPENAI_TOOL, anthropicTool: ANTHROPIC_TOOL, refused: REFUSED, providers } = given;
