"""The texts that the service sends, in both languages of its documents.

The English books translate them, the Chinese books show the originals; which of them the live
service sends is not certain, so the setting ``language`` chooses. Texts that no page shows are marked
below and kept plain.
"""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = "english"
CHINESE = "chinese"

#: name -> (English, Chinese). From the pages of the operations, unless marked.
_TEXTS: Mapping[str, tuple[str, str]] = {
    "accepted": ("successful request", "请求成功"),  # Chinese not seen
    "PlayVoice": ("Play command sent successfully", "播放命令发送成功"),
    "Login": ("Authorization successful", "授权成功"),  # Chinese not seen
    "Logout": ("logout successful", "注销成功"),
    "GetBill": ("get success", "获取成功"),  # English as on the recording link page
    "GetRecodeFile": ("get success", "获取成功"),
    "expires": ("Expiration time:", "过期时间:"),  # Chinese not seen
    "illegal": ("Illegal request: ", "非法请求："),
    # Inner texts of an illegal request: PhalApi's built-in ones and their translation, not seen.
    "missing": ("missing required parameter {name}", "缺少必要参数{name}"),
    "range": ("parameter {name} should be one of {wanted}", "参数{name}应该为：{wanted}"),
    "format": ("{name} does not match the required format", "{name}无法匹配#regex"),
    "too_many": ("destnumber should not exceed {wanted} numbers", "destnumber不应超过{wanted}个号码"),
    "no_file": ("voicefile does not exist", "voicefile不存在"),
    "no_caller": ("disnumber is not available", "disnumber不可用"),
    "backwards": ("starttime should not be later than endtime", "starttime应该小于或等于endtime"),
    "method": ("the request method should be POST", "请求方式应该为POST"),
    "undecodable": ("the request body cannot be read", "请求内容无法解析"),
    "no_service": ("service {name} does not exist", "接口服务{name}不存在"),
    # What ``data.desc`` says of a failure; the page's sample is "xxxfail".
    "Login failed": ("authorization fail", "授权失败"),
    "Logout failed": ("logout fail", "注销失败"),
    "PlayVoice failed": ("play command fail", "播放命令发送失败"),
    "GetBill failed": ("get fail", "获取失败"),
    "GetRecodeFile failed": ("get fail", "获取失败"),
}

#: code -> (English, Chinese). 400 and 601-604, 1003 as on "Common API - Global error and status
#: codes"; the others say what that page, or a public client, says they mean.
CODE_TEXTS: Mapping[str, tuple[str, str]] = {
    "400": ("illegal request", "非法请求"),
    "404": ("service does not exist", "接口服务不存在"),
    "500": ("server error", "服务器运行错误"),
    "600": ("token is invalid, please log in again", "token无效，请重新登录"),
    "601": ("appid is not authorized", "appid未授权"),
    "602": ("appid authorization has expired", "appid授权已过期"),
    "603": ("module is not authorized", "模块未授权"),
    "604": ("IP is not authorized", "IP未授权"),
    "1001": ("server connection failed", "服务器连接失败"),
    "1002": ("abnormal operation", "操作异常"),
    "1003": ("operation failed", "操作失败"),
    "1010": ("extension exception", "分机异常"),
    "1011": ("illegal extension", "非法分机"),
    "1012": ("extension does not exist", "分机不存在"),
    "1013": ("extension is disabled", "分机已禁用"),
    "1014": ("extension is not registered", "分机未注册"),
    "1015": ("extension is not in a call", "分机未在通话"),
    "1016": ("extension is enabled", "分机已启用"),
    "1017": ("extension is registered", "分机已注册"),
    "1018": ("number is enabled", "号码已启用"),
    "1019": ("number is disabled", "号码已禁用"),
    "1020": ("number does not exist", "号码不存在"),
    "1021": ("illegal number", "非法号码"),
    "1024": ("task does not exist", "任务不存在"),
    "1025": ("task is not started", "任务未启动"),
    "1026": ("task is running", "任务运行中"),
    "1027": ("task is paused", "任务已暂停"),
    "1028": ("task is finished", "任务已结束"),
    "1029": ("file does not exist", "文件不存在"),
    "1031": ("strategy is badly set", "策略设置错误"),
    "1032": ("strategy rule is violated", "违反策略规则"),
    "1033": ("strategy has no resource", "策略无资源"),
}

#: Login's own text of code 1003, as in the page's sample of a failure.
AUTHORIZATION_FAILED = ("Authorization failed", "授权失败")


def say(language: str, text: str, /, **values: object) -> str:
    """The text called ``text`` in ``language``, with its places filled in."""
    english, chinese = _TEXTS[text]
    return (chinese if language == CHINESE else english).format(**values)


def say_code(language: str, code: str) -> str:
    """The standard text of a code."""
    english, chinese = CODE_TEXTS[code]
    return chinese if language == CHINESE else english
